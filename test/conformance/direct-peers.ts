/** Somebody else in this very thread, with a line of his own to the hub: he acts whenever the thread would sleep. */

import { openState } from '../../src/backends/brokered/remote/remote-state.js';
import { STATE_DEFAULTS } from '../../src/contract/state.js';
import { bindPipe } from '../../src/primitives/bind-pipe.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import type { Connection } from '../../src/primitives/connection.js';
import { HandleClasses } from '../../src/primitives/passengers.js';
import type { DirectBackend } from '../unit/direct-backend.js';
import { lockPeerOf } from './lock-peer-in-thread.js';
import type { Peers } from './peers.js';
import { pattern } from './pipe-subject.js';
import type { PipeAct } from './pipe-subject.js';

const NOTHING = Symbol('nothing');
const PART_BYTES = 1024;

export function directPeers(backend: DirectBackend): Peers {
  const other = backend.anotherClient();
  const handles = new HandleClasses();
  const OtherQueue = bindQueue(() => other, handles);
  bindPipe(() => other, handles);

  /** `act` does one thing, and says whether there is more. Resolves when all is done. */
  const whileBlocked = async (act: () => boolean): Promise<void> => {
    backend.whileBlocked = act;
    // The thread comes back here when it is no longer blocked.
    await new Promise((resolve) => setImmediate(resolve));
    while (act());
    backend.whileBlocked = undefined;
  };

  return {
    async onQueue(name, acts) {
      const queue = OtherQueue.open<string>(name);
      const left = [...acts];
      await whileBlocked(() => {
        const next = left.shift();
        if (next?.act === 'put') queue.putNowait(next.value);
        else if (next?.act === 'get') queue.getNowait();
        else if (next?.act === 'taskDone') queue.taskDone();
        else if (next?.act === 'end') queue.end();
        return left.length > 0;
      });
      queue.close();
    },
    async onPipe({ name }, acts) {
      const queue = OtherQueue.open<Connection>(name);
      const end = queue.getNowait();
      queue.close();
      const left: (PipeAct | { readonly act: 'goOn' })[] = [...acts];
      const sent: Promise<void>[] = [];
      await whileBlocked(() => {
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
      });
      await Promise.all(sent);
      end.close();
    },
    async onLock(kind, name) {
      const options = { ...STATE_DEFAULTS, kind, byteLength: 0, schema: '', parameter: 0 };
      const link = backend.anotherLink();
      return lockPeerOf(openState(link, name, 'open', { ...options, persist: false }), backend);
    },
  };
}
