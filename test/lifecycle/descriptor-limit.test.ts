import { constants } from 'node:os';
import { expect } from 'vitest';
import { test } from './scene.js';

// Node opens all modules of the package at once.
const LIMIT = 256;

test(`a process that may have ${LIMIT} descriptors is refused the queue that is one too many, and keeps the others`, async ({
  scene,
}) => {
  const program = scene.start('open-until-refused', [], {
    node: 'sh',
    nodeArguments: ['-c', `ulimit -n ${LIMIT} && exec "$@"`, 'sh', process.execPath],
  });
  const refused = await program.says('refused');
  expect(refused).toMatchObject({
    code: 'ERR_SYSTEM',
    errno: constants.errno.EMFILE,
    message: expect.stringContaining('ulimit -n'),
  });
  const { opened } = refused as { opened: number };
  expect(opened).toBeGreaterThan(0);
  expect(await program.says('waited')).toBe(constants.errno.EMFILE);
  const left = opened - 1;
  expect(await program.says('got')).toEqual(Array.from({ length: left }, (_, index) => index));
  expect(await program.ends()).toEqual({ code: 0, signal: null });
});
