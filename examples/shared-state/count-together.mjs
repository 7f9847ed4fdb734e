// @ts-check
// Nine processes count in one value: each adds 1 to it so many times, and says what it sees. None of the additions is lost.
//   node count-together.mjs [TIMES]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { Value } from '../../dist/index.js';

const WORKERS = 9;
const [times = '5000', valueName, workerName] = process.argv.slice(2);

if (valueName === undefined) {
  const name = `count-${process.pid}`;
  const n = Value.create(name, 'int32', 0);
  const workers = Array.from({ length: WORKERS }, (_, i) =>
    fork(fileURLToPath(import.meta.url), [times, name, `Process-${i + 1}`]),
  );
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  console.log(n.value);
  n.close();
} else {
  const n = Value.open(valueName, { type: 'int32' });
  let seen = 0;
  for (let i = 0; i < Number(times); i += 1) seen = n.add(1) + 1;
  console.log(`${workerName} ${seen}`);
  n.close();
}
