import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';

import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { embeddedLocks } from './embedded-lock.js';
import { sharedArrays } from './shared-array.js';
import { shareableLists } from './shareable-list.js';
import { sharedMemory } from './shared-memory.js';
import { values } from './value.js';

const directory = mkdtempSync(join(tmpdir(), 'interproc-conformance-state-'));
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('on a broker', () => {
  const subject = { backend: new SocketBackend() };
  sharedMemory(subject);
  shareableLists(subject);
  values(subject);
  sharedArrays(subject);
  embeddedLocks(subject);
});
