import { describe } from 'vitest';

import { MemoryBackend } from '../unit/memory-backend.js';
import { embeddedLocks } from './embedded-lock.js';
import { sharedArrays } from './shared-array.js';
import { values } from './value.js';

describe('on the plain backend of the tests', () => {
  const subject = { backend: new MemoryBackend() };
  values(subject);
  sharedArrays(subject);
  embeddedLocks(subject);
});
