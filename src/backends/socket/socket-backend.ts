/** Objects that live with the broker of a directory. */

import type { SharedObject } from '../../contract/shared-object.js';
import { BrokeredBackend } from '../brokered/remote/brokered-backend.js';
import type { Link } from '../brokered/remote/link.js';
import { RemoteObject } from '../brokered/remote/remote-object.js';
import { dial } from './dial.js';
import type { Dialled } from './dial.js';
import { objectDirectory } from './socket-directory.js';

/** Of this thread, by directory. */
const links = new Map<string, Dialled>();

/** A broker that does not answer for so long is stopped, or its machine stands still. */
const PATIENCE_MS = 30_000;

export class SocketBackend extends BrokeredBackend {
  readonly kind = 'socket';
  readonly #directory: string | undefined;
  readonly #patienceMs: number;
  readonly #besides = new WeakMap<Link, BrokeredBackend>();

  /**
   * `directory`: where its objects live; undefined: as INTERPROC_DIR says at that time. `patienceMs`: how long its broker may
   * leave a request without an answer before it is taken for gone.
   */
  constructor(directory?: string, patienceMs = PATIENCE_MS) {
    super();
    this.#directory = directory;
    this.#patienceMs = patienceMs;
  }

  protected link(): Link {
    const directory = this.#directory ?? objectDirectory();
    const known = links.get(directory);
    // Asked each time: what is opened finds a new broker, whether anything has met the end of the last one yet or not.
    if (known?.link.isLost === false && known.line.isConnected()) return known.link;
    const dialled = dial(directory, this.#patienceMs);
    links.set(directory, dialled);
    return dialled.link;
  }

  beside(object: SharedObject): BrokeredBackend {
    if (!(object instanceof RemoteObject)) return this;
    const { connection } = object;
    let found = this.#besides.get(connection);
    if (found === undefined) this.#besides.set(connection, (found = new LinkBackend(connection)));
    return found;
  }
}

/** What lives with one broker, and nowhere when that is gone. */
class LinkBackend extends BrokeredBackend {
  readonly kind = 'socket';
  readonly #link: Link;

  constructor(link: Link) {
    super();
    this.#link = link;
  }

  protected link(): Link {
    return this.#link;
  }

  beside(): this {
    return this;
  }
}
