/** The broker's side of the lines: a server whose every connection is a session of the hub. */

import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import type { Hub } from '../brokered/hub/hub.js';

/** Of output that a client has not read: with more of it, nothing it says is read either. */
const MAX_BACKLOG_BYTES = 2 ** 20;

export class BrokerServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #hub: Hub | undefined;
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

  /** Until then nobody is. `admits` is asked at each connection: who is not admitted looks for another broker. */
  serve(hub: Hub, admits: () => boolean): void {
    this.#hub = hub;
    this.#admits = admits;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connected(socket: Socket): void {
    if (this.#hub === undefined || !this.#admits()) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const session = this.#hub.connect({
      write: (bytes) => {
        socket.write(bytes);
        if (socket.writableLength > MAX_BACKLOG_BYTES) socket.pause();
      },
      close: () => socket.destroySoon(),
    });
    socket.on('data', (bytes) => session.receive(bytes));
    socket.on('drain', () => socket.resume());
    // What is wrong with it, 'close' says too: it is gone.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      session.lost();
    });
  }
}
