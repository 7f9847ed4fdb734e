import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockBench, LockSubject } from './lock-subject.js';
import { coded, rows } from './subject.js';

interface Handle {
  readonly name: string;
  close(): void;
  unlink(): void;
}

/** A class by what all of them can. */
interface AnyClass {
  new (...args: unknown[]): Handle;
  create(name: unknown, ...args: unknown[]): Handle;
  open(name: unknown, options?: unknown): Handle;
  openOrCreate(name: unknown, ...args: unknown[]): Handle;
  openWhenAvailable(name: unknown, options?: unknown): Promise<Handle>;
}

/** `args`: what comes before the options. */
export function opening(
  subject: LockSubject,
  className: keyof LockBench['classes'],
  args: unknown[] = [],
): void {
  describe(`${className}: opening`, () => {
    const bench = lockBenchFor(subject);
    const Class = bench.classes[className] as unknown as AnyClass;

    it('finds by name what was created', () => {
      const name = bench.name();
      const made = bench.keep(Class.create(name, ...args));
      expect(made).toBeInstanceOf(Class);
      expect(made.name).toBe(name);
      expect(bench.keep(Class.open(name)).name).toBe(name);
      expect(bench.keep(Class.openOrCreate(name, ...args)).name).toBe(name);
      expect(thrownBy(() => Class.create(name, ...args))).toEqual(coded('ERR_EXISTS'));
    });

    it('creates what is not there, or says so', () => {
      const name = bench.name();
      expect(thrownBy(() => Class.open(name))).toEqual(coded('ERR_NOT_FOUND'));
      bench.keep(Class.openOrCreate(name, ...args));
      bench.keep(Class.open(name));
    });

    it('waits until it is available', async () => {
      const name = bench.name();
      const waiting = Class.openWhenAvailable(name, { timeoutMs: 60_000 });
      await sleep(5);
      bench.keep(Class.create(name, ...args));
      expect(bench.keep(await waiting).name).toBe(name);
      await expect(Class.openWhenAvailable(bench.name(), { timeoutMs: 5 })).rejects.toEqual(
        coded('ERR_TIMEOUT'),
      );
    });

    it('refuses an object of another kind', () => {
      const { Lock, Semaphore } = bench.classes;
      const name = bench.name();
      bench.keep(className === 'Lock' ? Semaphore.create(name) : Lock.create(name));
      expect(thrownBy(() => Class.open(name))).toEqual(coded('ERR_KIND'));
      expect(thrownBy(() => Class.openOrCreate(name, ...args))).toEqual(coded('ERR_KIND'));
    });

    it('goes with its last participant, and stays if it is to persist', () => {
      const name = bench.name();
      Class.create(name, ...args).close();
      expect(thrownBy(() => Class.open(name))).toEqual(coded('ERR_NOT_FOUND'));
      Class.create(name, ...args, { persist: true }).close();
      const again = bench.keep(Class.open(name));
      again.unlink();
      expect(thrownBy(() => Class.open(name))).toEqual(coded('ERR_NOT_FOUND'));
    });

    it('takes what it was created with, and refuses anything else', () => {
      const name = bench.name();
      bench.keep(Class.create(name, ...args, { maxParticipants: 5 }));
      bench.keep(Class.open(name, { maxParticipants: 5, persist: false }));
      expect(thrownBy(() => Class.open(name, { maxParticipants: 6 }))).toEqual(
        coded('ERR_MISMATCH'),
      );
      expect(thrownBy(() => Class.openOrCreate(name, ...args, { persist: true }))).toEqual(
        coded('ERR_MISMATCH'),
      );
    });

    it.each(
      rows<unknown>([
        { persist: 1 },
        { maxParticipants: 0 },
        { maxParticipants: 257 },
        { maxParticipants: 1.5 },
        { backend: 'paper' },
        { colour: 'red' },
        { timeout: 5 },
        null,
        'x',
      ]),
    )('refuses the options %s', async (_, options) => {
      const isBackend = typeof options === 'object' && options !== null && 'backend' in options;
      // The suite's classes know one backend only, whatever it is called.
      if (isBackend) return;
      const bad = coded('ERR_INVALID_ARG');
      expect(thrownBy(() => Class.create(bench.name(), ...args, options))).toEqual(bad);
      expect(thrownBy(() => Class.open(bench.name(), options))).toEqual(bad);
      expect(thrownBy(() => new Class(...args, options))).toEqual(bad);
      await expect(Class.openWhenAvailable(bench.name(), options)).rejects.toEqual(bad);
    });

    it.each(rows<unknown>(['', '.', 'a/b', 'ä', 7, undefined, null]))(
      'refuses the name %s',
      async (_, name) => {
        const bad = coded('ERR_INVALID_ARG');
        expect(thrownBy(() => Class.create(name, ...args))).toEqual(bad);
        expect(thrownBy(() => Class.open(name))).toEqual(bad);
        expect(thrownBy(() => Class.openOrCreate(name, ...args))).toEqual(bad);
        await expect(Class.openWhenAvailable(name)).rejects.toEqual(bad);
      },
    );

    it('refuses to keep what has no name', () => {
      expect(thrownBy(() => new Class(...args, { persist: true }))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('travels in messages, and lives until it has arrived', async () => {
      const queue = bench.keep(bench.Queue.create<Handle>(bench.name()));
      const anonymous = bench.keep(new Class(...args));
      const { name } = anonymous;
      await queue.put(anonymous);
      anonymous.close();
      const arrived = bench.keep(await queue.get());
      expect(arrived).toBeInstanceOf(Class);
      expect(arrived.name).toBe(name);
      const closed = bench.keep(new Class(...args));
      closed.close();
      await expect(queue.put(closed)).rejects.toMatchObject({
        code: 'ERR_ENCODE',
        cause: coded('ERR_CLOSED'),
      });
    });
  });
}
