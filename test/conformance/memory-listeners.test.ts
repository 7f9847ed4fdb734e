import { MemoryBackend } from '../unit/memory-backend.js';
import { describeListener } from './listener.conformance.js';

describeListener('the plain backend of the tests', () => new MemoryBackend());
