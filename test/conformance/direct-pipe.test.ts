import { bindPipe } from '../../src/primitives/bind-pipe.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import type { Connection } from '../../src/primitives/connection.js';
import { HandleClasses } from '../../src/primitives/passengers.js';
import type { Queue } from '../../src/primitives/queue.js';
import { DirectBackend } from '../unit/direct-backend.js';
import { describePipe } from './pipe.conformance.js';
import { pattern } from './pipe-subject.js';
import type { PipeAct, PipeSubject } from './pipe-subject.js';

const NOTHING = Symbol('nothing');
const PART_BYTES = 1024;

/** In one thread, the others act whenever the thread would sleep: one act each time, as soon as it can be done. */
function directSubject(): PipeSubject {
  const backend = new DirectBackend();
  const other = backend.anotherClient();
  const handles = new HandleClasses();
  const OtherQueue = bindQueue(() => other, handles);
  bindPipe(() => other, handles);
  return {
    backend,
    capabilities: { blocking: true },
    async whileBlocked({ name }: Queue<unknown>, acts: readonly PipeAct[]): Promise<void> {
      const queue = OtherQueue.open<Connection>(name);
      const end = queue.getNowait();
      queue.close();
      const left: (PipeAct | { readonly act: 'goOn' })[] = [...acts];
      const sent: Promise<void>[] = [];
      const act = () => {
        const next = left.shift();
        if (next?.act === 'send') sent.push(end.send(next.value));
        else if (next?.act === 'sendBytes') {
          sent.push(end.sendBytes(pattern(next.length)));
          // What goes in parts goes on as often as there is room for some.
          for (let i = 0; i < next.length; i += PART_BYTES) left.unshift({ act: 'goOn' });
        } else if (next?.act === 'goOn') end.sendMany([], { timeoutMs: 0 }).catch(() => {});
        else if (next?.act === 'recv' && end.tryRecv(NOTHING) === NOTHING) left.unshift(next);
        else if (next?.act === 'close') end.close();
        return left.length > 0;
      };
      backend.whileBlocked = act;
      // The thread comes back here when it is no longer blocked.
      await new Promise((resolve) => setImmediate(resolve));
      while (left.length > 0) act();
      await Promise.all(sent);
      backend.whileBlocked = undefined;
      end.close();
    },
  };
}

describePipe('a hub in the same thread', directSubject);
