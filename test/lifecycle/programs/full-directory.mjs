// @ts-check
/** Shares numbers by a broker whose directory is full, and prints what it saw. */
import { readdirSync } from 'node:fs';

import { SharedArray, Value } from '../../../dist/index.js';

const SOCKET = { backend: /** @type {const} */ ('socket') };
const directory = process.env['INTERPROC_DIR'] ?? '';
const LOOKS = 50;

const countFiles = () => {
  const sockets = `${directory}/~socket`;
  const [states = ''] = readdirSync(sockets).filter((name) => name.startsWith('state-'));
  return readdirSync(`${sockets}/${states}`).length;
};

/** @param {SharedArray<number>} xs */
function useAll(xs) {
  for (let i = 0; i < LOOKS; i += 1) {
    const at = (i * 1000) % xs.length;
    xs[at] = i;
    // The second look would be one at the file: nothing was stored since the first.
    for (const found of [xs.get(at), xs.get(at)]) {
      if (found !== i) throw new Error(`element ${at} is ${found}, not ${i}`);
    }
  }
}

const small = new Value('int32', 7, SOCKET);
for (let i = 0; i < LOOKS; i += 1) if (small.value !== 7) throw new Error(`${small.value}, not 7`);
const filesBefore = countFiles();
const large = new SharedArray('float64', 50_000, SOCKET);
useAll(large);
const filesOfLarge = countFiles() - filesBefore;
// The one that has a file keeps it, and has room in it.
small.value = 8;
const sum = large.slice().reduce((so, x) => so + x, 0);
console.log(JSON.stringify({ filesBefore, filesOfLarge, small: small.value, sum }));
large.close();
small.close();
