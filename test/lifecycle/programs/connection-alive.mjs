// @ts-check
/** Does one thing with a connection and comes to the end of its text. What keeps it alive from there on is the question. */
import { Pipe, wait } from '../../../dist/index.js';
import { say } from './line.mjs';

const [deed = ''] = process.argv.slice(2);
const [a, b] = Pipe();

/** @type {Record<string, () => unknown>} */
const DEEDS = {
  'an idle connection': () => {},
  'a connection that has made requests': async () => {
    const handling = b.onRequest((value) => value);
    await a.request(1);
    handling.stop();
  },
  'a request that timed out': () => a.request(1, { timeoutMs: 1 }).catch(() => {}),
  'an unref’d pending request': () => void a.unref().request(1),
  'an unref’d handler': () => void b.unref().onRequest((value) => value),
  'a handler that was stopped': () => b.onRequest((value) => value).stop(),
  'a handler of a closed connection': () => (b.onRequest((value) => value), b.close()),
  'a handler whose requester is gone': () => (b.onRequest((value) => value), a.close()),
  'an unref’d wait': () => void wait([a.unref(), b.unref()]),
  'a wait that timed out': () => wait([a, b], { timeoutMs: 1 }),
  'a pending request': () => void a.request(1),
  'a handler': () => void b.onRequest((value) => value),
  'a wait': () => void wait([a, b]),
  'a wait with a time-out': () => void wait([a, b], { timeoutMs: 60_000 }),
};

await DEEDS[deed]?.();
say('end-of-text', deed in DEEDS);
