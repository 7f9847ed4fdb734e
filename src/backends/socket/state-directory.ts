import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const BEGINNING = 'state-';

/** Where a broker keeps files beside its socket: of its states, which clients read without asking, and of journals. */
export class StateDirectory {
  readonly path: string;
  readonly #sockets: string;

  /** `key`: the name of the broker's own socket, which says whose it is. */
  constructor(sockets: string, key: string) {
    this.#sockets = sockets;
    this.path = join(sockets, BEGINNING + key);
    mkdirSync(this.path, { mode: 0o700 });
  }

  /** Removes those of brokers that are no more: their sockets are gone. */
  sweep(): void {
    for (const name of readdirSync(this.#sockets)) {
      if (!name.startsWith(BEGINNING)) continue;
      const key = join(this.#sockets, name.slice(BEGINNING.length));
      if (!existsSync(key)) rmSync(join(this.#sockets, name), { recursive: true, force: true });
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
