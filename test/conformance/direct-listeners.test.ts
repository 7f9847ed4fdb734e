import { DirectBackend } from '../unit/direct-backend.js';
import { describeListener } from './listener.conformance.js';

describeListener('a hub in the same thread', () => new DirectBackend());
