import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the tests of the example’s worker pool pass, and end', async () => {
  const file = fileURLToPath(new URL('../../examples/worker-pool/pool.test.mjs', import.meta.url));
  // Rejects if one fails.
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', file]);
  expect(stdout).toMatch(/^\S+ pass 2$/m);
});
