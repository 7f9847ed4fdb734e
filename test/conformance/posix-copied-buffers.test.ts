import { describe } from 'vitest';

import { posixSharedMemory } from './posix-shared-memory.js';

process.env['INTERPROC_COPY_BUFFERS'] = '1';

describe('PosixSharedMemory, where there are no ArrayBuffers over foreign memory,', () =>
  posixSharedMemory('copied', { hasBuffers: false }));
