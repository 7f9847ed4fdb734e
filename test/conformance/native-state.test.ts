import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { embeddedLocks } from './embedded-lock.js';
import { sharedArrays } from './shared-array.js';
import { shareableLists } from './shareable-list.js';
import { sharedMemory } from './shared-memory.js';
import { values } from './value.js';

const directory = mkdtempSync('/dev/shm/interproc-conformance-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('on native', () => {
  const subject = { backend: new NativeBackend(), isMapped: true, isBetweenProcesses: true };
  sharedMemory(subject);
  shareableLists(subject);
  values(subject);
  sharedArrays(subject);
  embeddedLocks(subject);

  it('leaves no file behind but those of its doorbells', () => {
    expect(readdirSync(directory).filter((name) => !name.startsWith('~bell-'))).toEqual([]);
  });
});
