import { describe } from 'vitest';

import { posixSemaphore } from './posix-semaphore.js';
import { posixSharedMemory } from './posix-shared-memory.js';

describe('PosixSharedMemory', () => posixSharedMemory('memory', { hasBuffers: true }));
describe('PosixSemaphore', () => posixSemaphore('semaphore'));
