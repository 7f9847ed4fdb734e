// @ts-check
// Somebody else, in a thread of his own: finds his end of a pipe in a queue and acts on it with blocking calls.
import { workerData } from 'node:worker_threads';

import { Queue } from '../../dist/index.js';

/** Beyond any need: a peer that nobody answers fails instead of hanging. */
const timeoutMs = 60_000;

/** @type {{ name: string, acts: import('./pipe-subject.js').PipeAct[] }} */
const { name, acts } = workerData;
const queue = Queue.open(name);
const end = /** @type {import('../../dist/index.js').Connection} */ (queue.getSync({ timeoutMs }));
queue.close();
for (const act of acts) {
  if (act.act === 'send') end.sendSync(act.value, { timeoutMs });
  else if (act.act === 'sendBytes') {
    const bytes = Uint8Array.from({ length: act.length }, (_, i) => i % 251);
    end.sendBytesSync(bytes, 0, bytes.length, { timeoutMs });
  } else if (act.act === 'recv') end.recvSync({ timeoutMs });
  else end.close();
}
end.close();
