import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { describeBackend } from './backend.conformance.js';

describeBackend('socket', () => new SocketBackend());
