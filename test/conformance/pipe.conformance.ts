/** What a backend with pipes is: it passes this suite. Cases that need an absent capability are skipped. */

import { describe } from 'vitest';

import { batches } from './pipe-batches.js';
import { bytes } from './pipe-bytes.js';
import { ending } from './pipe-ending.js';
import { examples } from './pipe-examples.js';
import { largeMessages } from './pipe-large-messages.js';
import { messages } from './pipe-messages.js';
import { moving } from './pipe-moving.js';
import { nodeStreams } from './pipe-node-streams.js';
import { requests } from './pipe-requests.js';
import { spoiltExchanges } from './pipe-spoilt-exchanges.js';
import type { PipeSubject } from './pipe-subject.js';
import { waiting } from './pipe-waiting.js';
import { waitingForMany } from './pipe-waiting-for-many.js';
import { webStreams } from './pipe-web-streams.js';

export function describePipe(label: string, makeSubject: () => PipeSubject): void {
  describe(`Pipe on ${label}`, () => {
    const subject = makeSubject();
    messages(subject);
    bytes(subject);
    waiting(subject);
    ending(subject);
    batches(subject);
    largeMessages(subject);
    moving(subject);
    waitingForMany(subject);
    requests(subject);
    spoiltExchanges(subject);
    nodeStreams(subject);
    webStreams(subject);
    examples(subject);
  });
}
