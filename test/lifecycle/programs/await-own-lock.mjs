// @ts-check
/** Awaits a lock that only itself could release. */
import { Lock } from '../../../dist/index.js';
import { say } from './line.mjs';

const lock = new Lock();
await lock.acquire();
say('waiting');
await lock.acquire();
say('got');
