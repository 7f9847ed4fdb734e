/**
 * All objects of one directory, or of one process, as one thread keeps them: what the processes and threads that share them ask
 * of it, it does in the order in which it reads it.
 */

import type { Body, FrameWriter } from '../frames.js';
import type { Outlet } from '../line.js';
import { LIST, PRUNE } from '../operations.js';
import { Catalogue } from './catalogue.js';
import type { NameKeeper } from './catalogue.js';
import { fail } from './fail.js';
import { JournalWatch } from './journals.js';
import { OPENERS } from './openers.js';
import { Session } from './session.js';
import { StateFiles } from './state-files.js';

/** Makes or finds an object and attaches it to the session; `reply` is what its remote handle is made from. */
export type Opener = (session: Session, body: Body, reply: FrameWriter) => void;

export class Hub {
  readonly catalogue: Catalogue;
  readonly files: StateFiles | undefined;
  readonly journals = new JournalWatch();
  /** Called when the last client has left. */
  onIdle: () => void = () => {};
  readonly #sessions = new Set<Session>();
  readonly #dirty = new Set<Session>();
  #later: (() => void)[] = [];

  /** `stateDirectory`: for files of its states, which clients read without asking. Nobody else writes to it. */
  constructor(names?: NameKeeper, stateDirectory?: string) {
    this.catalogue = new Catalogue(names);
    this.files = stateDirectory === undefined ? undefined : new StateFiles(stateDirectory);
  }

  get isIdle(): boolean {
    return this.#sessions.size === 0;
  }

  /** Whether one client may know what another one did. */
  get isShared(): boolean {
    return this.#sessions.size > 1;
  }

  connect(outlet: Outlet): Session {
    const session = new Session(this, outlet);
    this.#sessions.add(session);
    return session;
  }

  left(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.onIdle();
  }

  serve(session: Session, operation: number, body: Body, reply: FrameWriter): void {
    if (operation === LIST) reply.json(this.catalogue.list());
    else if (operation === PRUNE) reply.json(this.catalogue.prune(body.bool()));
    else {
      const open = OPENERS.get(operation);
      if (open === undefined) fail('ERR_CORRUPT', `No operation ${operation}`);
      open(session, body, reply);
    }
  }

  later(action: () => void): void {
    this.#later.push(action);
  }

  /** In a while, unless everything else has ended. What follows from it is seen to as if it had been read. */
  after(ms: number, action: () => void): void {
    setTimeout(() => {
      action();
      this.settle();
    }, ms).unref();
  }

  willFlush(session: Session): void {
    this.#dirty.add(session);
  }

  /** What was read has its consequences: bells, and everything that is to be sent. */
  settle(): void {
    while (this.#later.length > 0) {
      const actions = this.#later;
      this.#later = [];
      for (const action of actions) action();
    }
    this.files?.flush();
    for (const session of this.#dirty) session.flush();
    this.#dirty.clear();
  }
}
