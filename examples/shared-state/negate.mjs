// @ts-check
// A value and an array that a child process changes, as in the documents of Python's multiprocessing.
//   node negate.mjs
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { SharedArray, Value } from '../../dist/index.js';

const [, , valueName, arrayName] = process.argv;

if (valueName === undefined || arrayName === undefined) {
  const n = Value.create(`n-${process.pid}`, 'd', 0.0);
  const xs = SharedArray.create(`xs-${process.pid}`, 'i', Array(10).keys());
  const child = fork(fileURLToPath(import.meta.url), [n.name, xs.name]);
  await once(child, 'exit');
  console.log(n.value);
  console.log(JSON.stringify(xs.slice()).replaceAll(',', ', '));
  n.close();
  xs.close();
} else {
  const n = Value.open(valueName, { type: 'd' });
  const xs = SharedArray.open(arrayName, { type: 'i' });
  n.value = 3.1415927;
  for (let i = 0; i < xs.length; i += 1) xs[i] = -(xs[i] ?? 0);
  n.close();
  xs.close();
}
