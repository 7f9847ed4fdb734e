import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';

import { DirectBackend } from '../unit/direct-backend.js';
import { describeBackend } from './backend.conformance.js';
import { directPeers } from './direct-peers.js';

const journals = mkdtempSync('/dev/shm/interproc-journals-');
afterAll(() => rmSync(journals, { recursive: true }));

describeBackend(
  'a hub in the same thread, whose clients say all they may in their journals',
  () => new DirectBackend(undefined, journals),
  directPeers,
);

it('leaves no journal where somebody could find it', () => {
  expect(readdirSync(journals)).toEqual([]);
});
