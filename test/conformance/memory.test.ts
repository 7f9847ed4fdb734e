import { MemoryBackend } from '../../src/backends/memory/memory-backend.js';
import { describeBackend } from './backend.conformance.js';

describeBackend('memory', () => new MemoryBackend());
