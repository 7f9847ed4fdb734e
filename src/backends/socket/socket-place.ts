/** A broker's place where sockets have names in the file system. */

import type { BrokerPlace } from './broker-place.js';
import type { BrokerServer } from './broker-server.js';
import { sweepWords } from './last-words.js';
import { Seat, privateName } from './seat.js';
import { withSocketPath } from './socket-directory.js';
import { SocketNames, sweep } from './socket-names.js';
import { StateDirectory } from './state-directory.js';

export class SocketPlace implements BrokerPlace {
  readonly names: SocketNames;
  readonly #directory: string;
  readonly #sockets: string;
  readonly #seat: Seat;
  readonly #files: StateDirectory;

  /** undefined: another broker has it. `sockets`: the directory of the sockets in that one. */
  static async take(
    directory: string,
    sockets: string,
    server: BrokerServer,
  ): Promise<SocketPlace | undefined> {
    const own = privateName();
    await withSocketPath(sockets, own, (path) => server.listen(path));
    const seat = await Seat.take(sockets, own);
    return seat && new SocketPlace(directory, sockets, seat, own);
  }

  private constructor(directory: string, sockets: string, seat: Seat, own: string) {
    this.#directory = directory;
    this.#sockets = sockets;
    this.#seat = seat;
    this.names = new SocketNames(directory, sockets, seat);
    this.#files = new StateDirectory(sockets, own);
  }

  get isTaken(): boolean {
    return this.#seat.isTaken;
  }

  get stateDirectory(): string {
    return this.#files.path;
  }

  async begin(isThere: (name: string) => boolean): Promise<void> {
    this.names.isThere = isThere;
    await sweep(this.#directory, this.#sockets, this.#seat);
    this.#files.sweep();
    sweepWords(this.#sockets);
  }

  leave(names: readonly string[]): void {
    this.#seat.leave();
    this.names.releaseAll(names);
    this.#seat.forget();
    this.#files.remove();
  }
}
