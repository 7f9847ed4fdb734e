/**
 * What a backend is: it passes this suite. Cases that need an absent capability are skipped, and its refusal
 * is tested instead.
 */

import { describe } from 'vitest';

import { batches } from './queue-batches.js';
import { closedInside } from './queue-closed-inside.js';
import { delivery } from './queue-delivery.js';
import { ending } from './queue-ending.js';
import { iteration } from './queue-iteration.js';
import { joining } from './queue-joining.js';
import { leases } from './queue-leases.js';
import { joiningModel } from './queue-joining-model.js';
import { largeMessages } from './queue-large-messages.js';
import { messages } from './queue-messages.js';
import { nodeStreams } from './queue-node-streams.js';
import { opening } from './queue-opening.js';
import { structs } from './queue-structs.js';
import { travelling } from './queue-travelling.js';
import { waiting } from './queue-waiting.js';
import { webStreams } from './queue-web-streams.js';
import type { Subject } from './subject.js';

export function describeQueue(label: string, makeSubject: () => Subject): void {
  describe(`Queue on ${label}`, () => {
    const subject = makeSubject();
    opening(subject);
    messages(subject);
    largeMessages(subject);
    structs(subject);
    waiting(subject);
    batches(subject);
    iteration(subject);
    ending(subject);
    closedInside(subject);
    delivery(subject);
    travelling(subject);
    joining(subject);
    leases(subject);
    joiningModel(subject);
    nodeStreams(subject);
    webStreams(subject);
  });
}
