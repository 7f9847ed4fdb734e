/** What a backend with values, arrays, lists and memory is: it passes this suite. */

import { describe } from 'vitest';

import { embeddedLocks } from './embedded-lock.js';
import { sharedArrays } from './shared-array.js';
import { shareableLists } from './shareable-list.js';
import { sharedMemory } from './shared-memory.js';
import type { StateSubject } from './state-subject.js';
import { values } from './value.js';

export function describeState(label: string, makeSubject: () => StateSubject): void {
  describe(`State on ${label}`, () => {
    const subject = makeSubject();
    sharedMemory(subject);
    shareableLists(subject);
    values(subject);
    sharedArrays(subject);
    embeddedLocks(subject);
  });
}
