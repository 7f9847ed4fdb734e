import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { describeLocks } from './locks.conformance.js';
import { workerPeers } from './worker-peers.js';

const directory = mkdtempSync(join(tmpdir(), 'interproc-conformance-locks-'));
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const backend = new SocketBackend();
describeLocks('a broker', () => ({ backend, peer: workerPeers(backend).onLock }));
