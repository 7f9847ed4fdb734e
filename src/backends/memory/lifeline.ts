/**
 * What the death of a thread is known by: a socket that the system closes with the thread, whatever ends it. The thread listens;
 * the hub connects, and holds the connection. Neither ever says anything. A blocked thread has it too: the system connects without
 * its help. And the other way round, the thread learns of the hub's end.
 */

import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { InterprocError } from '../../errors.js';
import { socketAddress } from '../brokered/socket-address.js';

/** The thread's end. It keeps no event loop alive in the beginning. */
export class Lifeline {
  readonly address = socketAddress(`memory-${randomBytes(12).toString('hex')}`);
  /** The hub is gone. From the event loop. */
  onLost: () => void = () => {};
  readonly #server: Server;
  #connection: Socket | undefined;
  #keepsAlive = false;

  /** @throws ERR_SYSTEM */
  constructor() {
    this.#server = createServer((connection) => {
      // The hub's, the only one.
      this.#server.close();
      this.#connection = connection;
      if (!this.#keepsAlive) connection.unref();
      connection.on('error', () => {});
      connection.on('close', () => this.onLost());
      connection.resume();
    });
    this.#server.on('error', () => {});
    // Exclusive: in a process of a cluster, too, it is this thread's own.
    this.#server.listen({ path: this.address, exclusive: true });
    if (!this.#server.listening) {
      throw new InterprocError(
        'ERR_SYSTEM',
        'The memory backend needs a local socket for each thread, by which its end is noticed, and the system gives none: there are too many open files, or this process may not use the network',
      );
    }
    this.#server.unref();
  }

  ref(): void {
    if (this.#keepsAlive) return;
    this.#keepsAlive = true;
    (this.#connection ?? this.#server).ref();
  }

  unref(): void {
    if (!this.#keepsAlive) return;
    this.#keepsAlive = false;
    (this.#connection ?? this.#server).unref();
  }

  close(): void {
    this.#server.close();
    this.#connection?.destroy();
  }
}

/** The hub's end: `onEnd` is called once, when the thread has ended or closed it. The function that is returned ends it from here. */
export function holdLifeline(address: string, onEnd: () => void): () => void {
  const socket = connect({ path: address });
  socket.on('error', () => {});
  socket.on('close', onEnd);
  socket.resume();
  return () => socket.destroy();
}
