import { describe } from 'vitest';

import { LackingBackend } from '../unit/lacking-backend.js';
import { capabilities } from './capabilities.js';
import { directPeers } from './direct-peers.js';
import { describePipe } from './pipe.conformance.js';
import { describeQueue } from './queue.conformance.js';

for (const [label, lacking] of [
  ['a backend that cannot block', { blocking: false }],
  ['a backend that cannot redeliver', { redelivery: false }],
] as const) {
  const backend = new LackingBackend(lacking);
  const { onQueue, onPipe } = directPeers(backend);
  describe(`Capabilities of ${label}`, () => capabilities(backend));
  describeQueue(label, () => ({ backend, whileBlocked: onQueue }));
  describePipe(label, () => ({ backend, whileBlocked: onPipe }));
}
