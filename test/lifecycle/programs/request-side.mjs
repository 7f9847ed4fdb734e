// @ts-check
/**
 * One side of a connection with requests: `serve` answers numbers, but keeps those below 0 for ever; `ask` makes as many requests as it
 * is told, half of which are kept, and says how each ended.
 */
import { Pipe } from '../../../dist/index.js';
import { say } from './line.mjs';

const [side = '', count = '0'] = process.argv.slice(2);
const NAME = 'service';

if (side === 'serve') {
  const listener = Pipe.listen(NAME);
  say('listening');
  const connection = /** @type {import('../../../dist/index.js').Connection<number>} */ (
    await listener.accept()
  );
  let kept = 0;
  /** @type {unknown[]} */
  const reasons = [];
  connection.onRequest(
    (n, { signal }) => {
      if (n >= 0) return n * 2;
      kept++;
      if (kept === Number(count)) say('kept', kept);
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(/** @type {{ code?: unknown }} */ (signal.reason).code);
          if (reasons.length === Number(count)) say('aborted', reasons);
          reject(signal.reason);
        });
      });
    },
    { maxConcurrent: 1000 },
  );
  listener.close();
} else {
  const connection = /** @type {import('../../../dist/index.js').Connection<number>} */ (
    await Pipe.connect(NAME, { timeoutMs: 60_000 })
  );
  const total = Number(count);
  const answered = Array.from({ length: total }, (_, i) => connection.request(i));
  const kept = Array.from({ length: total }, (_, i) => connection.request(-1 - i));
  say('answers', await Promise.all(answered));
  const ends = await Promise.allSettled(kept);
  say(
    'ends',
    ends.map((end) => (end.status === 'rejected' ? end.reason.code : end.value)),
  );
}
