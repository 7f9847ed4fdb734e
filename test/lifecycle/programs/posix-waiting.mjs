// @ts-check
/** Does one thing with a semaphore and comes to the end of its text: `posix-waiting.mjs DEED NAME`. */
import { PosixSemaphore } from '../../../dist/posix.js';
import { say } from './line.mjs';

const [deed = '', name = ''] = process.argv.slice(2);
const semaphore = PosixSemaphore.open(name);
const tell = () => say('has it');

/** @type {Record<string, () => unknown>} */
const DEEDS = {
  'an idle semaphore': () => {},
  'a semaphore whose wait timed out': () => semaphore.wait({ timeoutMs: 1 }).catch(() => {}),
  'a semaphore whose wait was aborted': () =>
    semaphore.wait({ signal: AbortSignal.timeout(5) }).catch(() => {}),
  'an unref’d pending wait': () => void semaphore.unref().wait(),
  'a pending wait, unref’d afterwards': () => {
    void semaphore.wait();
    semaphore.unref();
  },
  'an unref’d pending wait with a time-out': () => {
    void semaphore.unref().wait({ timeoutMs: 1_000_000 });
  },
  'a pending wait': () => void semaphore.wait().then(tell),
  'a pending wait, unref’d and ref’d again': () => {
    void semaphore.wait().then(tell);
    semaphore.unref().ref();
  },
  'a pending wait of a forgotten semaphore': () => {
    void (() => PosixSemaphore.open(name).wait())().then(tell);
    const timer = setInterval(() => globalThis.gc?.(), 10).unref();
    setTimeout(() => clearInterval(timer), 300);
  },
};

await DEEDS[deed]?.();
say('end-of-text');
