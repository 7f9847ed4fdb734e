import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PosixSemaphore, PosixSharedMemory, TimeoutError } from '../../src/posix.js';
import type { WaitOptions } from '../../src/posix.js';
import { thrownBy } from '../unit/thrown-by.js';
import { PosixNames } from './posix-names.js';
import { coded, rows, stateOf } from './subject.js';

const MAX = 2 ** 31 - 1;

export function posixSemaphore(label: string): void {
  const names = new PosixNames(label);
  const create = (value: number, name = names.next()) =>
    names.keep(PosixSemaphore.create(name, value));
  const open = (name: string) => names.keep(PosixSemaphore.open(name));

  describe('creating and opening', () => {
    it('gives the permits asked for, to all who open it', () => {
      const semaphore = create(2);
      const same = open(semaphore.name.slice(1));
      expect([same.name, same.value]).toEqual([semaphore.name, 2]);
      expect([same.tryWait(), semaphore.tryWait(), same.tryWait()]).toEqual([true, true, false]);
      expect([same.value, semaphore.value]).toEqual([0, 0]);
      semaphore.unlink();
    });

    it('takes any number of permits the system knows', () => {
      for (const value of [0, 1, MAX]) {
        const semaphore = create(value);
        expect(semaphore.value).toBe(value);
        semaphore.unlink();
      }
    });

    it.each(rows<unknown>([-1, 1.5, NaN, Infinity, 2 ** 31, 2 ** 32, '1', 1n, null, undefined]))(
      'refuses %s permits, and makes nothing',
      (_, value) => {
        const name = names.next();
        for (const how of ['create', 'openOrCreate'] as const) {
          expect(thrownBy(() => PosixSemaphore[how](name, value as number))).toMatchObject({
            code: 'ERR_INVALID_ARG',
          });
        }
      },
    );

    it.each(rows<unknown>(['', '/', '..', 'a/b', 'a\0', 7]))('refuses the name %s', (_, name) => {
      for (const call of [
        () => PosixSemaphore.create(name as string, 1),
        () => PosixSemaphore.open(name as string),
        () => PosixSemaphore.openOrCreate(name as string, 1),
        () => PosixSemaphore.unlink(name as string),
      ]) {
        expect(thrownBy(call)).toMatchObject({ code: 'ERR_INVALID_ARG' });
      }
    });

    it('takes names as long as the system does', () => {
      const stem = names.next();
      const semaphore = create(1, stem.padEnd(252, 'x'));
      open(semaphore.name);
      semaphore.unlink();
      for (const length of [253, 256, 257, 1000]) {
        const name = stem.padEnd(length, 'x');
        for (const call of [
          () => PosixSemaphore.create(name, 1),
          () => PosixSemaphore.open(name),
          () => PosixSemaphore.openOrCreate(name, 1),
          () => PosixSemaphore.unlink(name),
        ]) {
          expect(thrownBy(call)).toMatchObject({ code: 'ERR_INVALID_ARG', errno: 36 });
        }
      }
    });

    it('says that it is there already, or is not', () => {
      const semaphore = create(3);
      expect(thrownBy(() => create(1, semaphore.name))).toMatchObject({
        code: 'ERR_EXISTS',
        errno: 17,
        syscall: 'sem_open',
      });
      expect(semaphore.value).toBe(3);
      semaphore.unlink();
      expect(thrownBy(() => open(semaphore.name))).toMatchObject({
        code: 'ERR_NOT_FOUND',
        errno: 2,
        syscall: 'sem_open',
      });
      expect(thrownBy(() => semaphore.unlink())).toMatchObject({
        code: 'ERR_NOT_FOUND',
        syscall: 'sem_unlink',
      });
    });

    it('opens or creates; what is there keeps its value', () => {
      const name = names.next();
      const made = names.keep(PosixSemaphore.openOrCreate(name, 2));
      const same = names.keep(PosixSemaphore.openOrCreate(name, 7));
      expect([made.value, same.value]).toEqual([2, 2]);
      made.unlink();
    });

    it.each([0, 16, 31, 33, 4096])(
      'refuses a file of %i bytes, which is no semaphore',
      (length) => {
        const name = names.next();
        writeFileSync(PosixNames.semaphoreFileOf(name), new Uint8Array(length));
        for (const call of [
          () => PosixSemaphore.open(name),
          () => PosixSemaphore.openOrCreate(name, 1),
        ]) {
          expect(thrownBy(call)).toMatchObject({ code: 'ERR_KIND' });
        }
        PosixSemaphore.unlink(name);
      },
    );

    it('has names of its own: shared memory may be called the same', () => {
      const semaphore = create(1);
      const memory = names.keep(PosixSharedMemory.create(semaphore.name, 8));
      expect(open(semaphore.name).value).toBe(1);
      semaphore.unlink();
      memory.unlink();
    });
  });

  describe('waiting and posting', () => {
    it('counts as it should, whoever does what', () => {
      const semaphore = create(3);
      const handles = [semaphore, open(semaphore.name), open(semaphore.name)];
      let value = 3;
      const step = fc.record({ handle: fc.nat(2), isPost: fc.boolean() });
      fc.assert(
        fc.property(fc.array(step), (steps) => {
          for (const { handle, isPost } of steps) {
            const one = handles[handle] as PosixSemaphore;
            if (isPost) one.post();
            else expect(one.tryWait()).toBe(value > 0);
            value = isPost ? value + 1 : Math.max(value - 1, 0);
            expect(semaphore.value).toBe(value);
          }
        }),
      );
      semaphore.unlink();
    });

    it('says when it can hold no more permits', () => {
      const semaphore = create(MAX);
      expect(thrownBy(() => semaphore.post())).toMatchObject({
        code: 'ERR_FULL',
        syscall: 'sem_post',
        errno: 75,
      });
      expect(semaphore.value).toBe(MAX);
      expect(semaphore.tryWait()).toBe(true);
      semaphore.post();
      semaphore.unlink();
    });

    it('takes what is there without waiting, sync and async', async () => {
      const semaphore = create(3);
      await semaphore.wait();
      await semaphore.wait({ timeoutMs: 0 });
      semaphore.waitSync({ timeoutMs: 0 });
      expect(semaphore.value).toBe(0);
      semaphore.unlink();
    });

    it('waits until somebody posts', async () => {
      const semaphore = create(0);
      const waiting = semaphore.wait();
      expect(await stateOf(waiting)).toBe('pending');
      open(semaphore.name).post();
      await waiting;
      expect(semaphore.value).toBe(0);
      semaphore.unlink();
    });

    it('waits long, until the looks are far apart', async () => {
      const semaphore = create(0);
      const waiting = semaphore.wait();
      await sleep(300);
      semaphore.post();
      await waiting;
      semaphore.unlink();
    });

    it('serves the waits of one handle in their order, each once', async () => {
      const semaphore = create(0);
      const served: number[] = [];
      const waits = [0, 1, 2, 3].map(async (i) => {
        await semaphore.wait();
        served.push(i);
      });
      semaphore.post();
      await waits[0];
      await sleep(50);
      expect(served).toEqual([0]);
      for (let i = 0; i < 3; i++) semaphore.post();
      await Promise.all(waits);
      expect(served).toEqual([0, 1, 2, 3]);
      expect(semaphore.value).toBe(0);
      semaphore.unlink();
    });

    it('times out, not before its time, and takes nothing', async () => {
      const semaphore = create(0);
      for (const [call, timeoutMs] of [
        [() => semaphore.wait({ timeoutMs: 60 }), 60],
        [async () => semaphore.waitSync({ timeoutMs: 60 }), 60],
        [async () => semaphore.waitSync({ timeoutMs: 120 }), 120], // more than a slice
        [() => semaphore.wait({ timeoutMs: 0 }), 0],
        [async () => semaphore.waitSync({ timeoutMs: -1 }), 0],
      ] as const) {
        const started = performance.now();
        const error = await call().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(TimeoutError);
        expect(String(error)).toContain(semaphore.name);
        // A timer may fire a little early.
        expect(performance.now() - started).toBeGreaterThanOrEqual(timeoutMs - 1);
      }
      semaphore.post();
      await sleep(50);
      expect(semaphore.value).toBe(1);
      semaphore.unlink();
    });

    it('is aborted with the reason of the signal, and takes nothing', async () => {
      const semaphore = create(0);
      const reason = new Error('on purpose');
      const controller = new AbortController();
      const waiting = semaphore.wait({ signal: controller.signal });
      const other = semaphore.wait();
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      semaphore.post();
      await other;
      semaphore.post();
      await expect(semaphore.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(semaphore.value).toBe(1);
      semaphore.unlink();
    });

    it.each(rows<unknown>([null, { timeoutMs: NaN }, { timeoutMs: '1' }, { signal: 1 }]))(
      'refuses the options %s',
      async (_, options) => {
        const semaphore = create(1);
        await expect(semaphore.wait(options as object)).rejects.toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => semaphore.waitSync(options as object))).toEqual(
          coded('ERR_INVALID_ARG'),
        );
        expect(semaphore.value).toBe(1);
        semaphore.unlink();
      },
    );

    it('cannot be aborted where it blocks', () => {
      const semaphore = create(1);
      const options: WaitOptions = { signal: new AbortController().signal };
      expect(thrownBy(() => semaphore.waitSync(options))).toEqual(coded('ERR_INVALID_ARG'));
      semaphore.unlink();
    });
  });

  describe('closing and unlinking', () => {
    it('rejects what is pending, and takes nothing any more', async () => {
      const semaphore = create(0);
      const same = open(semaphore.name);
      const waits = [same.wait(), same.wait({ timeoutMs: 10_000 })];
      same.close();
      for (const wait of waits) await expect(wait).rejects.toEqual(coded('ERR_CLOSED'));
      semaphore.post();
      await sleep(50);
      expect(semaphore.value).toBe(1);
      semaphore.unlink();
    });

    it('leaves the other handles of this process at work', () => {
      const semaphore = create(1);
      const same = open(semaphore.name);
      same.close();
      same.close();
      expect(semaphore.tryWait()).toBe(true);
      semaphore.unlink();
    });

    it('says that it is closed, whatever is called', async () => {
      const semaphore = create(1);
      semaphore.close();
      await expect(semaphore.wait()).rejects.toEqual(coded('ERR_CLOSED'));
      for (const call of [
        () => semaphore.waitSync(),
        () => semaphore.tryWait(),
        () => semaphore.post(),
        () => semaphore.value,
        () => semaphore.ref(),
        () => semaphore.unref(),
        () => semaphore.unlink(),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_CLOSED'));
      }
      PosixSemaphore.unlink(semaphore.name);
    });

    it('removes the name only: who has it open goes on, and the name is free', () => {
      const semaphore = create(1);
      const same = open(semaphore.name);
      PosixSemaphore.unlink(semaphore.name);
      const other = create(5, semaphore.name);
      expect(same.tryWait()).toBe(true);
      expect([semaphore.value, other.value]).toEqual([0, 5]);
      other.unlink();
    });

    it('closes at the end of a using block, and is shown with what it is', () => {
      const semaphore = create(4);
      expect(inspect(semaphore)).toBe(`PosixSemaphore '${semaphore.name}' { value: 4 }`);
      semaphore.unlink();
      semaphore[Symbol.dispose]();
      expect(inspect(semaphore)).toBe(`PosixSemaphore '${semaphore.name}' { closed: true }`);
    });
  });
}
