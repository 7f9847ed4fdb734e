import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { describeBackend } from './backend.conformance.js';

describeBackend('native', () => new NativeBackend());
