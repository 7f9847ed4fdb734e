import { describe } from 'vitest';

import { bindQueue } from '../../src/primitives/bind-queue.js';
import { MemoryBackend } from '../unit/memory-backend.js';
import { capabilities } from './capabilities.js';
import { describeQueue } from './queue.conformance.js';
import type { Act, Subject } from './subject.js';

/** In one thread, the others act whenever the thread would sleep: one act each time. */
function memorySubject(absent: { blocking?: false; redelivery?: false } = {}): Subject {
  const backend = new MemoryBackend(absent);
  const Queue = bindQueue(() => backend);
  return {
    backend,
    async whileBlocked(name: string, acts: readonly Act[]): Promise<void> {
      const other = Queue.open<string>(name);
      const left = [...acts];
      const act = () => {
        const next = left.shift();
        if (next?.act === 'put') other.putNowait(next.value);
        else if (next?.act === 'get') other.getNowait();
        else if (next?.act === 'taskDone') other.taskDone();
        else if (next?.act === 'end') other.end();
        return left.length > 0;
      };
      backend.whileBlocked = act;
      // The thread comes back here when it is no longer blocked.
      await new Promise((resolve) => setImmediate(resolve));
      while (left.length > 0) act();
      backend.whileBlocked = undefined;
      other.close();
    },
  };
}

describeQueue('the plain backend of the tests', () => memorySubject());
describeQueue('a backend that cannot block', () => memorySubject({ blocking: false }));
describeQueue('a backend that cannot redeliver', () => memorySubject({ redelivery: false }));

describe('Capabilities of a backend that cannot block', () =>
  capabilities(new MemoryBackend({ blocking: false })));
describe('Capabilities of a backend that cannot redeliver', () =>
  capabilities(new MemoryBackend({ redelivery: false })));
