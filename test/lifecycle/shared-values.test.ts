import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { bindValue } from '../../src/primitives/bind-value.js';
import { HandleClasses } from '../../src/primitives/passengers.js';
import type { Value } from '../../src/primitives/value.js';
import { Struct } from '../../src/shapes/struct.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';

const backend = new NativeBackend();
const handles = new HandleClasses();
const Values = bindValue(() => backend, handles);
const Triple = Struct({ a: 'float64', b: 'float64', c: 'float64' });

/** A value of this process, for the programs of a scene. */
function valueIn(scene: Scene): Value<number> {
  process.env['INTERPROC_DIR'] = scene.directory;
  return Values.create('n', 'int32', 0);
}

const run = promisify(execFile);

async function example(name: string, scene: Scene, ...args: string[]): Promise<string[]> {
  const file = fileURLToPath(new URL(`../../examples/shared-state/${name}.mjs`, import.meta.url));
  const env = { ...process.env, INTERPROC_DIR: scene.directory };
  const { stdout } = await run(process.execPath, [file, ...args], { env });
  return stdout.trimEnd().split('\n');
}

describe('a value that processes share', () => {
  test('wakes who waits in another process, in the event loop and blocked', async ({ scene }) => {
    const n = valueIn(scene);
    const waiter = scene.start('shared-value', ['n', 'await next']);
    const blocked = scene.start('shared-value', ['n', 'block']);
    await waiter.says('ready');
    await blocked.says('ready');
    await sleep(20);
    n.add(7);
    expect(await waiter.says('seen')).toBe(7);
    expect(await waiter.ends()).toEqual({ code: 0, signal: null });
    n.exchange(-1);
    expect(await blocked.ends()).toEqual({ code: 0, signal: null });
    n.close();
  });

  for (const act of ['await', 'block', 'add for ever'] as const) {
    test(`outlives who is killed in '${act}', and its room is free again`, async ({ scene }) => {
      const n = valueIn(scene);
      for (let i = 0; i < 3; i++) {
        const victim = scene.start('shared-value', ['n', act]);
        await victim.says('ready');
        await sleep(10);
        await victim.kill();
      }
      const before = n.value;
      n.add(1);
      expect(n.value).toBe(before + 1);
      expect(n.waitForSync((v) => v > before)).toBe(before + 1);
      n.close();
    });
  }

  test('that is a struct is whole whenever its writers are killed', async ({ scene }) => {
    const n = valueIn(scene);
    const p = Values.create('n-struct', Triple);
    for (let i = 0; i < 10; i++) {
      const writer = scene.start('shared-value', ['n', 'write for ever']);
      await writer.says('ready');
      for (let look = 0; look < 10_000; look++) {
        const { a, b, c } = p.value;
        if (a !== b || b !== c) expect.fail(`torn: ${a} ${b} ${c}`);
      }
      await writer.kill();
      const { a, b, c } = p.value;
      expect([b, c]).toEqual([a, a]);
      p.value = { a: -1, b: -1, c: -1 };
      expect(p.value).toEqual({ a: -1, b: -1, c: -1 });
    }
    p.close();
    n.close();
  });

  test('lets workers be terminated in whatever they do', async ({ scene }) => {
    const n = valueIn(scene);
    const p = Values.create('n-struct', Triple);
    const program = scene.start('shared-value', ['n', 'terminate workers']);
    expect(await program.ends()).toEqual({ code: 0, signal: null });
    for (const what of ['block', 'await', 'add for ever', 'write for ever']) {
      expect(await program.says('terminated')).toBe(what);
    }
    n.add(1);
    p.value = { a: 1, b: 1, c: 1 };
    expect(p.value.c).toBe(1);
    p.close();
    n.close();
  });

  test('is left by every way to exit', async ({ scene }) => {
    const n = valueIn(scene);
    const exits = [
      ['exit with all open', 0],
      ['throw', 1],
      ['wait unref', 0],
    ] as const;
    for (const [act, code] of exits) {
      const program = scene.start('shared-value', ['n', act]);
      expect(await program.ends(), act).toEqual({ code, signal: null });
    }
    expect(backend.list().map(({ name, participants }) => [name, participants])).toEqual([
      ['n', 1],
    ]);
    n.close();
  });

  test('is closed when it is forgotten, unless an array over its memory is kept', async ({
    scene,
  }) => {
    const program = scene.start('forgotten-values', [], { nodeArguments: ['--expose-gc'] });
    expect(await program.says('kept')).toEqual([1, 8]);
    expect(await program.says('left')).toBe(0);
    expect(await program.ends()).toEqual({ code: 0, signal: null });
  });
});

describe('the examples of shared state', () => {
  test('9 processes that add 1 to a value 5,000 times give 45,000', async ({ scene }) => {
    const lines = await example('count-together', scene);
    expect(lines.at(-1)).toBe('45000');
    const names = lines.slice(0, -1).map((line) => line.split(' ')[0]);
    expect(names.sort()).toEqual(Array.from({ length: 9 }, (_, i) => `Process-${i + 1}`));
  });

  test('50 times, 450', async ({ scene }) => {
    expect((await example('count-together', scene, '50')).at(-1)).toBe('450');
  });

  test('a child stores into a value and negates an array', async ({ scene }) => {
    expect(await example('negate', scene)).toEqual([
      '3.1415927',
      '[0, -1, -2, -3, -4, -5, -6, -7, -8, -9]',
    ]);
  });
});
