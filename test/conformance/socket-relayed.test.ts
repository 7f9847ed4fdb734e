import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { describeBackend } from './backend.conformance.js';

// As on Windows: a thread speaks with the broker for each thread, and neither side has descriptors.
process.env['INTERPROC_SOCKET_LINE'] = 'relay';

describeBackend('socket, relayed', () => new SocketBackend());
