// @ts-check
//   node --test examples/worker-pool/
import assert from 'node:assert/strict';
import test from 'node:test';
import { WordPool } from './pool.mjs';

// Nothing outside of this process sees the queues, and nothing is left when it ends, however it ends: tests that run side by
// side do not meet. It needs no addon, no daemon and no directory.
const backend = 'memory';

test('counts words, in the order of the texts', async () => {
  const pool = new WordPool({ backend });
  assert.deepEqual(await pool.count(['one', 'one two', 'one two three']), [1, 2, 3]);
  await pool.close();
});

test('loses no text with a worker', async () => {
  const pool = new WordPool({ backend, size: 2 });
  const counts = pool.count(['a text that is the end of who reads it', 'one two']);
  assert.equal(await Promise.race(pool.ended), 1);
  assert.deepEqual(await counts, [10, 2]);
  await pool.close();
});
