import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { SocketBackend } from '../../../src/backends/socket/socket-backend.js';
import { bindQueue } from '../../../src/primitives/bind-queue.js';
import { coded } from '../../conformance/subject.js';

let directory: string;
let backend: SocketBackend;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interproc-listing-'));
  backend = new SocketBackend(directory);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

it('where no broker is, there is nothing, and none is started to say so', () => {
  expect(backend.hasBroker).toBe(false);
  expect(backend.list()).toEqual([]);
  expect(backend.prune({ dryRun: false })).toEqual([]);
  expect(existsSync(join(directory, '~socket'))).toBe(false);
});

it('where one is, it is asked', () => {
  const q = new (bindQueue(() => backend))();
  const another = new SocketBackend(directory);
  expect(another.hasBroker).toBe(true);
  expect(another.list()).toHaveLength(1);
  q.close();
});

it('does not look into what others may write to', () => {
  chmodSync(directory, 0o777);
  expect(() => backend.list()).toThrow(coded('ERR_PERMISSION'));
  expect(() => backend.hasBroker).toThrow(coded('ERR_PERMISSION'));
});
