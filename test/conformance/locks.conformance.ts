/** What the locks are: what passes this suite. */

import { describe } from 'vitest';

import { mutualExclusion } from './lock-mutual-exclusion.js';
import { opening } from './lock-opening.js';
import type { LockSubject } from './lock-subject.js';
import { reentry } from './rlock.js';

export function describeLocks(label: string, makeSubject: () => LockSubject): void {
  describe(`Locks on ${label}`, () => {
    const subject = makeSubject();
    opening(subject, 'Lock');
    mutualExclusion(subject, 'lock');
    opening(subject, 'RLock');
    mutualExclusion(subject, 'rlock');
    reentry(subject);
  });
}
