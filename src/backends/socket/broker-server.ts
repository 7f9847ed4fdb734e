/** The broker's side of the lines: a server whose every connection is a session of the hub. */

import { readSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import type { Hub } from '../brokered/hub/hub.js';
import { makeJournal } from './journal-file.js';
import { usesPipes } from './pipes.js';
import { errorCode } from './socket-directory.js';

/** Of output that a client has not read: with more of it, nothing it says is read either. */
const MAX_BACKLOG_BYTES = 2 ** 20;
/** Read at once of what the dead have left in the kernel; it holds some 200 KiB of it. */
const PIECE_BYTES = 2 ** 16;
/** Who is not dead after all does not keep the broker for himself. */
const MAX_PIECES = 64;
/** What is no message, and yet refused where nobody is at the other end. */
const NOTHING = Buffer.alloc(0);

/** No thread gives up sooner than that. */
const SHORT_MS = 250;

/**
 * Whether what is read may have been said long ago: by somebody who has given up, while this process stood still. As long as
 * events come, it does not; after a pause, which may have been one for lack of anything to do, it may have.
 */
class Lateness {
  #last = -Infinity;
  #until = -Infinity;

  note(): void {
    const now = performance.now();
    if (now - this.#last > SHORT_MS) this.#until = now + SHORT_MS;
    this.#last = now;
  }

  get isSuspect(): boolean {
    // No event has told of what a look at a journal has found.
    this.note();
    return this.#last <= this.#until;
  }
}

const hasDescriptors = !usesPipes();

/** -1: Node does not say. */
function descriptorOf(socket: Socket): number {
  if (!hasDescriptors) return -1;
  const { _handle: handle } = socket as unknown as { _handle: { readonly fd?: number } | null };
  return handle?.fd ?? -1;
}

/** Whether the other end of the socket is there; asks the kernel. */
function isConnected(socket: Socket): boolean {
  if (socket.destroyed) return false;
  const descriptor = descriptorOf(socket);
  if (descriptor < 0) return true;
  try {
    writeSync(descriptor, NOTHING);
    return true;
  } catch (error) {
    return errorCode(error) !== 'EPIPE';
  }
}

/**
 * Writes as much as the kernel takes; how much. Nobody there is no error: a socket whose write fails is closed by Node, and what
 * its client had said last would not be read. Its end is read behind that.
 */
function writeNow(socket: Socket, bytes: Buffer): number {
  const descriptor = socket.destroyed ? -1 : descriptorOf(socket);
  if (descriptor < 0) return 0;
  const limit = Error.stackTraceLimit;
  // Of an error that says 'not now' the stack is most of the cost.
  Error.stackTraceLimit = 0;
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    const code = errorCode(error);
    return code === 'EAGAIN' || code === 'EINTR' ? 0 : bytes.length;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** What the client has said and nobody has read: what Node has of it, and then what the kernel has. */
function unreadOf(socket: Socket): Buffer[] {
  const unread: Buffer[] = [];
  const read = () => socket.read() as Buffer | null;
  for (let bytes = read(); bytes !== null; bytes = read()) unread.push(bytes);
  const descriptor = descriptorOf(socket);
  try {
    while (descriptor >= 0 && unread.length < MAX_PIECES) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const length = readSync(descriptor, piece);
      if (length === 0) break;
      unread.push(piece.subarray(0, length));
    }
  } catch {
    // There is no more.
  }
  return unread;
}

/**
 * Calls `look` before the socket is closed, for whatever reason: Node closes it in the turn in which it meets an error, which may
 * be that of a write, before anybody hears of it.
 */
function beforeClosing(socket: Socket, look: () => void): void {
  const destroy = socket._destroy.bind(socket);
  socket._destroy = (error, callback) => {
    look();
    destroy(error, callback);
  };
}

/**
 * The order in which the event loop finds sockets readable is not that in which they became so: what came first may be read a
 * round later, but no more than that. Immediates of immediates run after the next round's reading.
 */
function catchUp(then: () => void): void {
  setImmediate(() => setImmediate(then));
}

export class BrokerServer {
  readonly #lateness = new Lateness();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #hub: Hub | undefined;
  #journals: string | undefined;
  #admits: () => boolean = () => false;

  constructor() {
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** @throws the system's errors */
  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, () => {
        this.#server.off('error', reject);
        // A connection that could not be accepted is that client's affair: it finds no broker.
        this.#server.on('error', () => {});
        resolve();
      });
    });
  }

  /**
   * Until then nobody is. `journals`: a directory for files; undefined: there are none. `admits` is asked at each connection: who
   * is not admitted looks for another broker.
   */
  serve(hub: Hub, journals: string | undefined, admits: () => boolean): void {
    this.#hub = hub;
    this.#journals = journals;
    this.#admits = admits;
  }

  close(): void {
    this.#server.close();
    const sockets = [...this.#sockets];
    this.#sockets.clear();
    for (const socket of sockets) socket.destroy();
  }

  #connected(socket: Socket): void {
    if (this.#hub === undefined || !this.#admits()) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const session = this.#hub.connect({
      write: (bytes) => {
        const written = socket.writableLength === 0 ? writeNow(socket, bytes) : 0;
        if (written < bytes.length) socket.write(bytes.subarray(written));
        if (socket.writableLength <= MAX_BACKLOG_BYTES) return true;
        socket.pause();
        return false;
      },
      catchUp,
      makeJournal: () => (this.#journals === undefined ? undefined : makeJournal(this.#journals)),
      isDeserted: () => this.#lateness.isSuspect && !isConnected(socket),
      close: () => socket.destroySoon(),
    });
    const hear = (bytes: Buffer) => {
      this.#lateness.note();
      session.receive(bytes);
    };
    socket.on('data', hear);
    beforeClosing(socket, () => {
      if (!this.#sockets.delete(socket)) return;
      socket.off('data', hear);
      session.lost(unreadOf(socket));
    });
    socket.on('drain', () => {
      session.resume();
      if (socket.writableLength <= MAX_BACKLOG_BYTES) socket.resume();
    });
    // In the turn in which that was read, before anybody's request is served.
    socket.on('end', () => session.lost());
    // It is closed, which was seen to.
    socket.on('error', () => {});
  }
}
