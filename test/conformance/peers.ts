import type { LockSubject } from './lock-subject.js';
import type { PipeSubject } from './pipe-subject.js';
import type { Subject } from './subject.js';

/** How somebody else uses a backend: in a thread of his own, or what comes nearest. */
export interface Peers {
  readonly onQueue: Subject['whileBlocked'];
  readonly onPipe: PipeSubject['whileBlocked'];
  readonly onLock: LockSubject['peer'];
}
