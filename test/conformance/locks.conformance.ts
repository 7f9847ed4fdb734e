/** What the locks are: what passes this suite. */

import { describe } from 'vitest';

import { barriers } from './barrier.js';
import { conditions } from './condition.js';
import { events } from './event.js';
import { lockModel } from './lock-model.js';
import { mutualExclusion } from './lock-mutual-exclusion.js';
import { opening } from './lock-opening.js';
import type { LockSubject } from './lock-subject.js';
import { reentry } from './rlock.js';
import { readersAndWriters } from './rw-lock.js';
import { permits } from './semaphore.js';

export function describeLocks(label: string, makeSubject: () => LockSubject): void {
  describe(`Locks on ${label}`, () => {
    const subject = makeSubject();
    opening(subject, 'Lock');
    mutualExclusion(subject, 'lock');
    opening(subject, 'RLock');
    mutualExclusion(subject, 'rlock');
    reentry(subject);
    opening(subject, 'Semaphore', [2]);
    opening(subject, 'BoundedSemaphore', [2]);
    permits(subject);
    opening(subject, 'Event');
    events(subject);
    opening(subject, 'Condition');
    conditions(subject);
    opening(subject, 'RWLock');
    readersAndWriters(subject);
    opening(subject, 'Barrier', [2]);
    barriers(subject);
    lockModel(subject);
  });
}
