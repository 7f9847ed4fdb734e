/** Objects that live in one process, for its threads: nothing outside of it sees them, and nothing is left when it ends. */

import type { Capabilities } from '../../contract/capabilities.js';
import type { SharedObject } from '../../contract/shared-object.js';
import { BrokeredBackend } from '../brokered/remote/brokered-backend.js';
import type { Link } from '../brokered/remote/link.js';
import { RemoteObject } from '../brokered/remote/remote-object.js';
import { CAPABILITIES } from './capabilities.js';
import { joinHub } from './joining.js';

/** Of this thread. */
let current: Link | undefined;

const besides = new WeakMap<Link, MemoryBackend>();

export class MemoryBackend extends BrokeredBackend {
  readonly kind = 'memory';
  override readonly capabilities: Capabilities = CAPABILITIES;
  /** Of the hub that it is about, and nowhere when that is gone; undefined: the one there is at that time. */
  #fixed: Link | undefined;

  protected link(): Link {
    if (this.#fixed !== undefined) return this.#fixed;
    if (current?.isLost !== false) current = joinHub();
    return current;
  }

  beside(object: SharedObject): MemoryBackend {
    if (!(object instanceof RemoteObject)) return this;
    const { connection } = object;
    let found = besides.get(connection);
    if (found === undefined) {
      found = new MemoryBackend();
      found.#fixed = connection;
      besides.set(connection, found);
    }
    return found;
  }
}
