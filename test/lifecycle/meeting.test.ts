import { describe, expect } from 'vitest';
import { atScale } from './scale.js';
import { test } from './scene.js';

const NATURAL_END = { code: 0, signal: null };

describe('two programs started by hand', () => {
  test('meet by name: one awaits, the other puts later', async ({ scene }) => {
    const first = scene.start('await-one', ['letters']);
    await first.says('waiting');
    const second = scene.start('put-all', ['letters', '[42,null,"hello"]']);
    expect(await first.says('got')).toEqual([42, null, 'hello']);
    expect(await first.ends()).toEqual(NATURAL_END);
    expect(await second.ends()).toEqual(NATURAL_END);
  });

  test('meet when the one that puts has come and gone before', async ({ scene }) => {
    const second = scene.start('put-all', ['letters', '"early"']);
    expect(await second.ends()).toEqual(NATURAL_END);
    expect(scene.files()).toEqual(['letters']);
    const first = scene.start('await-one', ['letters']);
    expect(await first.says('got')).toBe('early');
    expect(await first.ends()).toEqual(NATURAL_END);
  });

  test('meet by openWhenAvailable, started before there is a queue', async ({ scene }) => {
    const early = scene.start('await-available', ['letters']);
    await early.says('waiting');
    const late = scene.start('put-all', ['letters', '"at last"']);
    expect(await early.says('got')).toBe('at last');
    expect(await early.ends()).toEqual(NATURAL_END);
    expect(await late.ends()).toEqual(NATURAL_END);
  });

  test('meet by openWhenAvailable, started after it', async ({ scene }) => {
    expect(await scene.start('put-all', ['letters', '"here"']).ends()).toEqual(NATURAL_END);
    const late = scene.start('await-available', ['letters']);
    expect(await late.says('got')).toBe('here');
    expect(await late.ends()).toEqual(NATURAL_END);
  });
});

test('programs that open or create at the same moment find themselves on one queue', async ({
  scene,
}) => {
  for (let round = 0; round < atScale(5, 300); round += 1) {
    const programs = Array.from({ length: 4 }, () => scene.start('put-own-pid', ['crowd']));
    await Promise.all(programs.map((program) => program.says('ready')));
    for (const program of programs) program.tell('go');
    const endings = await Promise.all(programs.map((program) => program.ends()));
    expect(endings).toEqual(programs.map(() => NATURAL_END));
    const reader = scene.terminal();
    await reader.call('open', 'crowd');
    const pids = (await reader.call('drain', 'crowd')) as number[];
    expect(pids.sort()).toEqual(programs.map(({ pid }) => pid).sort());
    await reader.leave();
  }
});
