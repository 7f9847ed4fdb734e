// @ts-check
// Somebody else, in a thread of his own: opens a queue of strings by its name and acts on it with blocking calls.
import { workerData } from 'node:worker_threads';

import { Queue } from '../../dist/index.js';

/** Beyond any need: a peer that nobody answers fails instead of hanging. */
const timeoutMs = 60_000;

/** @type {{ name: string, acts: import('./subject.js').Act[] }} */
const { name, acts } = workerData;
/** @type {Queue<string>} */
const q = Queue.open(name);
for (const act of acts) {
  if (act.act === 'put') q.putSync(act.value, { timeoutMs });
  else if (act.act === 'get') q.getSync({ timeoutMs });
  else if (act.act === 'taskDone') q.taskDone();
  else q.end();
}
q.close();
