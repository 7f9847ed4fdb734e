/** Objects that live in one process, for its threads: nothing outside of it sees them, and nothing is left when it ends. */

import type { Capabilities } from '../../contract/capabilities.js';
import type { SharedObject } from '../../contract/shared-object.js';
import { BrokeredBackend } from '../brokered/remote/brokered-backend.js';
import type { Link } from '../brokered/remote/link.js';
import { RemoteObject } from '../brokered/remote/remote-object.js';
import { CAPABILITIES } from './capabilities.js';
import { isHubThere, joinHub } from './joining.js';
import type { Joined } from './joining.js';
import { hasStopped } from './pulse.js';

/** Of this thread. */
let joined: Joined | undefined;

/** Asked each time: what is opened finds a new hub, whether anything has met the end of the last one yet or not. */
function known(): Link | undefined {
  if (joined === undefined || joined.link.isLost || hasStopped(joined.pulse)) return undefined;
  return joined.link;
}

function join(): Link {
  joined = joinHub();
  return joined.link;
}

const besides = new WeakMap<Link, MemoryBackend>();

export class MemoryBackend extends BrokeredBackend {
  readonly kind = 'memory';
  override readonly capabilities: Capabilities = CAPABILITIES;
  /** Of the hub that it is about, and nowhere when that is gone; undefined: the one there is at that time. */
  #fixed: Link | undefined;

  protected link(): Link {
    return this.#fixed ?? known() ?? join();
  }

  protected override linkIfThere(): Link | undefined {
    return this.#fixed ?? known() ?? (isHubThere() ? join() : undefined);
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
