import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { describeListener } from './listener.conformance.js';

const directory = mkdtempSync('/dev/shm/interproc-conformance-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describeListener('native', () => new NativeBackend());

it('leaves no file behind but those of its doorbells', () => {
  const files = readdirSync(directory).filter((name) => !name.startsWith('~bell-'));
  expect(files).toEqual([]);
});
