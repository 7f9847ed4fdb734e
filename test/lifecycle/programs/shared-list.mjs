// @ts-check
// Does one thing with a list that is there, and says so.
//   node shared-list.mjs LIST ACT
import { ShareableList } from '../../../dist/index.js';

const [, , name = '', act = ''] = process.argv;
const say = (/** @type {string} */ word, /** @type {unknown} */ data = null) =>
  process.stdout.write(`${word} ${JSON.stringify(data)}\n`);

const list = ShareableList.open(name);

/** @type {Record<string, () => unknown>} */
const acts = {
  'count 1000'() {
    for (let i = 0; i < 1000; i++) {
      const guard = list.lock.acquireSync();
      const next = Number(list.get(0)) + 1;
      // Of another type, and so torn, if anybody looks without the lock.
      list.set(0, next % 2 === 0 ? String(next) : next);
      list.set(1, new Uint8Array(next % 9).fill(next));
      guard.release();
    }
    list.close();
  },
  'hold the lock'() {
    list.lock.acquireSync();
    list[1] = 'half';
    say('ready');
    setInterval(() => {}, 1000);
  },
  'wait for the lock, unref'() {
    void list.unref().lock.acquire();
  },
};
acts[act]?.();
