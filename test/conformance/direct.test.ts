import { DirectBackend } from '../unit/direct-backend.js';
import { describeBackend } from './backend.conformance.js';
import { directPeers } from './direct-peers.js';

describeBackend('a hub in the same thread', () => new DirectBackend(), directPeers);
