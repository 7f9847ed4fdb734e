import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { describeLocks } from './locks.conformance.js';
import { lockSubjectOn } from './worker-lock-subject.js';

const directory = mkdtempSync(join(tmpdir(), 'interproc-conformance-locks-'));
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describeLocks('a broker', () => lockSubjectOn(new SocketBackend()));
