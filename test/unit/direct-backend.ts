/** A brokered backend whose hub is in the same thread: what the rooms around a hub are tested on. */

import { CAPABILITIES } from '../../src/backends/memory/capabilities.js';
import { BrokeredBackend } from '../../src/backends/brokered/remote/brokered-backend.js';
import { Link } from '../../src/backends/brokered/remote/link.js';
import { Hub } from '../../src/backends/brokered/hub/hub.js';
import type { JournalFile } from '../../src/backends/brokered/journal.js';
import type { Line } from '../../src/backends/brokered/line.js';
import { makeJournal, openJournal } from '../../src/backends/socket/journal-file.js';

/** Words are served where they are said; what comes back stands in a row until somebody looks. */
class DirectLine implements Line {
  onBytes: (bytes: Buffer) => void = () => {};
  onLost: (cause: Error) => void = () => {};
  readonly #hub: Hub;
  readonly #session;
  readonly #arrived: Buffer[] = [];

  constructor(
    hub: Hub,
    /** What the rest of the world does while this thread is blocked; true if it may do more. */
    readonly whileBlocked: () => boolean,
    /** Where journals are; without it there are none. */
    journals: string | undefined,
  ) {
    this.#hub = hub;
    this.#session = hub.connect({
      makeJournal: () => (journals === undefined ? undefined : makeJournal(journals)),
      catchUp: (then) => then(),
      write: (bytes) => {
        this.#arrived.push(bytes);
        setImmediate(() => this.#deliver());
      },
      close: () => this.onLost(new Error('the hub ended it')),
    });
  }

  openJournal(path: string): JournalFile | undefined {
    return openJournal(path);
  }

  write(bytes: Uint8Array): void {
    this.#session.receive(Buffer.from(bytes));
  }

  wait(timeoutMs: number): boolean {
    // What the hub would do meanwhile, if it had a thread of its own.
    this.#hub.journals.hear();
    if (this.#deliver()) return true;
    if (timeoutMs <= 0) return false;
    if (this.whileBlocked()) return this.#deliver();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeoutMs);
    return false;
  }

  #deliver(): boolean {
    let isAny = false;
    // One by one: what rings may read on from here.
    for (let bytes = this.#arrived.shift(); bytes !== undefined; bytes = this.#arrived.shift()) {
      isAny = true;
      this.onBytes(bytes);
    }
    return isAny;
  }

  ref(): void {}
  unref(): void {}

  close(): void {
    this.#session.lost();
  }
}

export class DirectBackend extends BrokeredBackend {
  readonly kind = 'memory';
  override readonly capabilities = CAPABILITIES;
  readonly hub: Hub;
  /** What the rest of the world does while this thread is blocked; true if it may do more. */
  whileBlocked: (() => boolean) | undefined;
  readonly #link: Link;
  readonly #journals: string | undefined;

  /** `stateDirectory`: as of a hub. `journals`: where the journals of its links are, which say there all that they may. */
  constructor(stateDirectory?: string, journals?: string) {
    super();
    this.#journals = journals;
    this.hub = new Hub(undefined, stateDirectory);
    this.#link = this.anotherLink();
  }

  /** That of somebody else, who can be killed by closing it. */
  anotherLink(): Link {
    const line = new DirectLine(this.hub, () => this.whileBlocked?.() === true, this.#journals);
    return new Link(line, { isJournalEager: true });
  }

  /** Somebody else, as a backend. */
  anotherClient(): BrokeredBackend {
    return new DirectClient(this.anotherLink());
  }

  /** Its own way to the hub. */
  get connection(): Link {
    return this.#link;
  }

  protected link(): Link {
    return this.#link;
  }

  beside(): this {
    return this;
  }
}

class DirectClient extends BrokeredBackend {
  readonly kind = 'memory';
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
