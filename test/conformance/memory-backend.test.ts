import { MemoryBackend } from '../../src/backends/memory/memory-backend.js';
import { describeLocks } from './locks.conformance.js';
import { describeQueue } from './queue.conformance.js';
import { describeState } from './state.conformance.js';
import { workerPeers } from './worker-peers.js';

const backend = new MemoryBackend();
const { onQueue, onLock } = workerPeers(backend);
describeQueue('memory', () => ({ backend, whileBlocked: onQueue }));
describeState('memory', () => ({ backend }));
describeLocks('memory', () => ({ backend, peer: onLock }));
