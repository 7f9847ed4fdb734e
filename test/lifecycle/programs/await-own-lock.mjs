// @ts-check
/** Awaits a lock that only itself could release; with an argument, for so many milliseconds. */
import { Lock } from '../../../dist/index.js';
import { say } from './line.mjs';

const lock = new Lock();
await lock.acquire();
say('waiting');
const [timeoutMs] = process.argv.slice(2);
const options = timeoutMs === undefined ? undefined : { timeoutMs: Number(timeoutMs) };
await lock
  .acquire(options)
  .catch((/** @type {{ code: string }} */ { code }) => say('failed', code));
