/** Objects that live with the broker of a directory. */

import type { SharedObject } from '../../contract/shared-object.js';
import { BrokeredBackend } from '../brokered/remote/brokered-backend.js';
import type { Link } from '../brokered/remote/link.js';
import { RemoteObject } from '../brokered/remote/remote-object.js';
import { dial, dialIfThere } from './dial.js';
import type { Dialled } from './dial.js';
import { usesPipes } from './pipes.js';
import { hasSockets, objectDirectory, socketDirectory } from './socket-directory.js';
import { removeAllMarkers } from './socket-names.js';

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

  override get directory(): string {
    return this.#directory ?? objectDirectory();
  }

  override get hasBroker(): boolean {
    return this.linkIfThere() !== undefined;
  }

  protected link(): Link {
    const { directory } = this;
    return this.#known(directory) ?? kept(directory, dial(directory, this.#patienceMs));
  }

  protected override linkIfThere(): Link | undefined {
    const { directory } = this;
    const known = this.#known(directory);
    if (known !== undefined) return known;
    const dialled = dialIfThere(directory, this.#patienceMs);
    return dialled && kept(directory, dialled);
  }

  /** Asked each time: what is opened finds a new broker, whether anything has met the end of the last one yet or not. */
  #known(directory: string): Link | undefined {
    const known = links.get(directory);
    return known?.link.isLost === false && known.line.isConnected() ? known.link : undefined;
  }

  override prune(options: { readonly dryRun: boolean }): string[] {
    const { directory } = this;
    if (!options.dryRun && !usesPipes() && !this.hasBroker && hasSockets(directory)) {
      removeAllMarkers(directory, socketDirectory(directory));
    }
    return super.prune(options);
  }

  beside(object: SharedObject): BrokeredBackend {
    if (!(object instanceof RemoteObject)) return this;
    const { connection } = object;
    let found = this.#besides.get(connection);
    if (found === undefined) this.#besides.set(connection, (found = new LinkBackend(connection)));
    return found;
  }
}

function kept(directory: string, dialled: Dialled): Link {
  links.set(directory, dialled);
  return dialled.link;
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
