/**
 * A line over a Unix socket. Node connects it and watches it from the event loop; everything that blocks goes by plain reads and
 * writes of its descriptor, which is what makes a request answered before the call returns.
 */

import { readSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { InterprocError } from '../../errors.js';
import { EarlyBytes } from '../brokered/early-bytes.js';
import type { JournalFile } from '../brokered/journal.js';
import type { Line } from '../brokered/line.js';
import { Spinning } from '../brokered/rings/spinning.js';
import { openJournal } from './journal-file.js';
import { errorCode } from './socket-directory.js';

/** Looks in vain for a reply before the first nap: it takes some 20 us, a look 4. */
const SPINS = 20;
/**
 * What another client says takes longer, and the broker needs a processor for it: so long one looks for that without a nap, if that has
 * paid. Where two that wait for each other have two processors with the broker, one of them gives up and naps, and a message there and
 * one back take 110 us. If both look 20 times first it is 190 us; if both look on whatever comes of it, 70 us, but one in ten takes 1.4 ms.
 */
const LINGER_MS = 0.2;
/** The system makes 65 us more of it. */
const SHORTEST_NAP_MS = 0.001;
const LONGEST_NAP_MS = 1;
const READ_BYTES = 2 ** 16;
/** What is no message, and yet refused where nobody is at the other end. */
const NOTHING = Buffer.alloc(0);

/** Of all lines of this thread: what is read into it is copied at once. */
const scratch = Buffer.allocUnsafeSlow(READ_BYTES);

const sleeper = new Int32Array(new SharedArrayBuffer(4));

function nap(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/** Calls it with errors that know no stack: of those it throws to say 'not yet', the stack is most of the cost. */
function quietly<T>(call: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return call();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** undefined: not now. @throws the system's errors */
function unlessNotNow<T>(call: () => T): T | undefined {
  try {
    return quietly(call);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EAGAIN' || code === 'EINTR') return undefined;
    throw error;
  }
}

interface Opened {
  readonly socket: Socket;
  readonly descriptor: number;
}

export class SocketLine implements Line {
  onBytes: (bytes: Buffer) => void = () => {};
  onLost: (cause: Error) => void = () => {};
  readonly #socket: Socket;
  readonly #descriptor: number;
  /** A broker that takes nothing for so long is given up. */
  readonly #patienceMs: number;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #early = new EarlyBytes((bytes) => this.onBytes(bytes));
  #spins = SPINS;
  readonly #spinning = new Spinning();
  /** undefined: it has not come to that. */
  #lingerEnd: number | undefined;
  #isLingering = false;
  #nap = SHORTEST_NAP_MS;
  #isOver = false;

  /** To a socket that somebody listens to; undefined if nobody does. @throws ERR_UNSUPPORTED */
  static to(path: string, patienceMs: number): SocketLine | undefined {
    const opened = open(path, (bytes) => line?.onChunk(bytes));
    if (opened === undefined) return undefined;
    const line: SocketLine | undefined = new SocketLine(opened, patienceMs);
    return line;
  }

  private constructor({ socket, descriptor }: Opened, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#socket = socket;
    this.#descriptor = descriptor;
    socket.on('error', (error) => this.#end(error));
    socket.on('end', () => this.#end(new Error('it hung up')));
    socket.on('close', () => this.#end(new Error('it hung up')));
  }

  /** From the event loop. */
  onChunk(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#early.isEmpty) this.onBytes(bytes);
    else {
      // Behind what came before, also if whoever hears of that reads on.
      this.#early.add(Buffer.from(bytes));
      this.#early.deliver();
    }
  }

  write(bytes: Uint8Array): void {
    this.#lookAnew();
    let at = 0;
    let deadline = Infinity;
    let pause = SHORTEST_NAP_MS;
    while (at < bytes.length) {
      this.#assertThere();
      const written = unlessNotNow(() => writeSync(this.#descriptor, bytes, at));
      if (written !== undefined) {
        at += written;
        deadline = Infinity;
        pause = SHORTEST_NAP_MS;
      } else if (!this.#readEarly()) {
        if (deadline === Infinity) deadline = performance.now() + this.#patienceMs;
        else if (performance.now() > deadline) {
          throw new Error(`it has taken nothing for ${this.#patienceMs / 1000} s`);
        }
        nap(pause);
        pause = Math.min(2 * pause, LONGEST_NAP_MS);
      }
    }
  }

  wait(timeoutMs: number, isForReply = false): boolean {
    if (this.#early.deliver()) return true;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (this.#isOver || this.#socket.destroyed) return false;
      if (this.#look()) {
        if (this.#isLingering) this.#spinning.tried(true);
        this.#lookAnew();
        this.#nap = SHORTEST_NAP_MS;
        return true;
      }
      if (timeoutMs <= 0) return false;
      const now = performance.now();
      const left = deadline - now;
      if (left <= 0) return false;
      if (isForReply ? this.#spins-- > 0 : this.#lingers(now)) continue;
      nap(Math.min(left, this.#nap));
      // A long wait, which may be made of many calls, looks less and less often.
      this.#nap = Math.min(1.1 * this.#nap, LONGEST_NAP_MS);
    }
  }

  /** What it waits for now, it has not waited for before. */
  #lookAnew(): void {
    this.#spins = SPINS;
    this.#lingerEnd = undefined;
    this.#isLingering = false;
  }

  /** Whether to look on without a nap. */
  #lingers(now: number): boolean {
    if (this.#lingerEnd === undefined) {
      this.#isLingering = this.#spinning.isWorthTrying();
      this.#lingerEnd = now + LINGER_MS;
    } else if (this.#isLingering && now >= this.#lingerEnd) {
      this.#isLingering = false;
      this.#spinning.tried(false);
    }
    return this.#isLingering;
  }

  /** Whether the broker still has its end; asks the kernel. */
  isConnected(): boolean {
    if (this.#isOver || this.#socket.destroyed) return false;
    try {
      quietly(() => writeSync(this.#descriptor, NOTHING));
      return true;
    } catch (error) {
      this.#end(error as Error);
      return false;
    }
  }

  openJournal(path: string): JournalFile | undefined {
    return openJournal(path);
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#isOver = true;
    this.#early.drop();
    this.#socket.destroy();
  }

  /** Reads once, and hands on what came. */
  #look(): boolean {
    let bytes: number | undefined;
    try {
      bytes = unlessNotNow(() => readSync(this.#descriptor, this.#buffer, 0, READ_BYTES, null));
    } catch (error) {
      this.#end(error as Error);
      return true;
    }
    if (bytes === undefined) return false;
    if (bytes === 0) this.#end(new Error('it hung up'));
    else this.onBytes(this.#buffer.subarray(0, bytes));
    return true;
  }

  /** The broker may wait for this thread to read before it reads on. @throws what ended the line */
  #readEarly(): boolean {
    // What was read last may still be read by who writes.
    const bytes = unlessNotNow(() => readSync(this.#descriptor, scratch, 0, READ_BYTES, null));
    if (bytes === undefined) return false;
    if (bytes === 0) throw new Error('it hung up');
    if (this.#early.isEmpty) setImmediate(() => this.#early.deliver());
    this.#early.add(Buffer.from(scratch.subarray(0, bytes)));
    return true;
  }

  /** A descriptor that was closed may be somebody else's by now. */
  #assertThere(): void {
    if (this.#isOver || this.#socket.destroyed) throw new Error('it hung up');
  }

  #end(cause: Error): void {
    if (this.#isOver) return;
    this.close();
    this.onLost(cause);
  }
}

function open(path: string, onChunk: (bytes: Buffer) => void): Opened | undefined {
  const socket = connect({
    path,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (bytes, buffer) => {
        onChunk((buffer as Buffer).subarray(0, bytes));
        return true;
      },
    },
  });
  // What it has to say of a connection that failed comes later; the first write says it now.
  socket.on('error', () => {});
  socket.unref();
  const { _handle: handle } = socket as unknown as { _handle: { readonly fd?: number } | null };
  // Where connecting failed at once, the handle is gone already.
  if (handle === null) return undefined;
  const descriptor = handle.fd ?? -1;
  if (descriptor < 0) {
    socket.destroy();
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `The socket backend needs the descriptor of its sockets, which Node ${process.version} does not give on ${process.platform}`,
    );
  }
  try {
    quietly(() => writeSync(descriptor, NOTHING));
    return { socket, descriptor };
  } catch {
    socket.destroy();
    return undefined;
  }
}
