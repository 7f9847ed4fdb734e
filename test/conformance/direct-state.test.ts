import { describe } from 'vitest';

import { DirectBackend } from '../unit/direct-backend.js';
import { embeddedLocks } from './embedded-lock.js';
import { sharedArrays } from './shared-array.js';
import { shareableLists } from './shareable-list.js';
import { sharedMemory } from './shared-memory.js';
import { values } from './value.js';

describe('on a hub in the same thread', () => {
  const backend = new DirectBackend();
  const subject = { backend };
  sharedMemory(subject);
  shareableLists(subject);
  values(subject);
  sharedArrays(subject);
  embeddedLocks(subject);
});
