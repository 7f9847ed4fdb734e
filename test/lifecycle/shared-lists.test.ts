import { describe, expect } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { bindShareableList } from '../../src/primitives/bind-shareable-list.js';
import { HandleClasses } from '../../src/primitives/passengers.js';
import type { ShareableList } from '../../src/primitives/shareable-list.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';

const backend = new NativeBackend();
const Lists = bindShareableList(() => backend, new HandleClasses());

/** A list of this process, for the programs of a scene. */
function listIn(scene: Scene): ShareableList {
  process.env['INTERPROC_DIR'] = scene.directory;
  return Lists.create('l', [0, '12345678']);
}

const OVER = { code: 0, signal: null };

describe('a list that processes share', () => {
  for (const copies of ['0', '1']) {
    test(`loses nothing under its lock, copied: ${copies}`, async ({ scene }) => {
      const list = listIn(scene);
      const environment = { INTERPROC_COPY_STATE: copies };
      const programs = [1, 2, 3].map(() =>
        scene.start('shared-list', ['l', 'count 1000'], { environment }),
      );
      for (const program of programs) expect(await program.ends()).toEqual(OVER);
      expect(list.toArray()).toEqual(['3000', new Uint8Array(3000 % 9).fill(3000)]);
      list.close();
    });
  }

  test('outlives who is killed with its lock, and the next one is told', async ({ scene }) => {
    const list = listIn(scene);
    const victim = scene.start('shared-list', ['l', 'hold the lock']);
    await victim.says('ready');
    expect(list.lock.tryAcquire()).toBe(null);
    await victim.kill();
    const guard = list.lock.acquireSync();
    expect(guard.recovered).toBe(true);
    expect(list.toArray()).toEqual([0, 'half']);
    guard.release();
    list.close();
  });

  test('lets a process end that waits for its lock and is not to', async ({ scene }) => {
    const list = listIn(scene);
    const guard = list.lock.acquireSync();
    const waiter = scene.start('shared-list', ['l', 'wait for the lock, unref']);
    expect(await waiter.ends()).toEqual(OVER);
    guard.release();
    list.close();
  });
});
