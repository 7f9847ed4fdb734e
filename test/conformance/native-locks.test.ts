import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { describeLocks } from './locks.conformance.js';
import { lockSubjectOn } from './worker-lock-subject.js';

const directory = mkdtempSync('/dev/shm/interproc-conformance-locks-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describeLocks('native', () => lockSubjectOn(new NativeBackend()));

it('leaves no file behind but those of its doorbells', () => {
  const files = readdirSync(directory).filter((name) => !name.startsWith('~bell-'));
  expect(files).toEqual([]);
});
