import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { SharedMemory } from '../../src/primitives/shared-memory.js';
import { thrownBy } from '../unit/thrown-by.js';
import { stateBenchFor } from './state-subject.js';
import type { StateSubject } from './state-subject.js';
import { coded, rows } from './subject.js';

export function sharedMemory(subject: StateSubject): void {
  describe('SharedMemory', () => {
    const bench = stateBenchFor(subject);
    const { SharedMemory, Queue } = bench;

    it('begins as zeros, and shows everybody what was written', () => {
      const memory = bench.keep(SharedMemory.create(bench.name(), 5000));
      const same = bench.keep(SharedMemory.open(memory.name));
      expect(same.size).toBe(5000);
      expect(same.read()).toEqual(new Uint8Array(5000));
      memory.write(new Uint8Array([1, 2, 3]), 4997);
      expect([...same.read(4996)]).toEqual([0, 1, 2, 3]);
      expect([...same.read(4997, 2)]).toEqual([1, 2]);
    });

    it.runIf(subject.backend.capabilities.views)(
      'is one buffer, which is detached when it closes',
      () => {
        const memory = bench.keep(new SharedMemory(16));
        const { buffer } = memory;
        expect(memory.buffer).toBe(buffer);
        new Uint8Array(buffer)[15] = 7;
        expect(memory.read(15)[0]).toBe(7);
        memory.close();
        expect(buffer.byteLength).toBe(0);
      },
    );

    it.runIf(!subject.backend.capabilities.views)('says so where it cannot be a buffer', () => {
      const memory = bench.keep(new SharedMemory(16));
      expect(thrownBy(() => memory.buffer)).toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: expect.stringContaining('read() and write()') as string,
      });
    });

    it.each(rows([0, -1, 1.5, NaN, Infinity, 2 ** 53, '16', null, undefined, 16n]))(
      'cannot have a size of %s',
      (_, size) => {
        expect(() => new SharedMemory(size as number)).toThrow(coded('ERR_INVALID_ARG'));
        expect(() => SharedMemory.create(bench.name(), size as number)).toThrow(
          coded('ERR_INVALID_ARG'),
        );
      },
    );

    it('that is larger than the file system is a typed error at once', () => {
      expect(() => new SharedMemory(2 ** 39)).toThrow(coded('ERR_NO_SPACE'));
    });

    it.each([
      [-1, 1],
      [0, 17],
      [16, 1],
      [1.5, 1],
      [0, 0.5],
    ])('is not read from or written to outside: %d, %d bytes', (offset, length) => {
      const memory = bench.keep(new SharedMemory(16));
      expect(() => memory.read(offset, length)).toThrow(coded('ERR_INVALID_ARG'));
      if (!Number.isInteger(length)) return;
      expect(() => memory.write(new Uint8Array(length), offset)).toThrow(coded('ERR_INVALID_ARG'));
    });

    it('takes bytes only', () => {
      const memory = bench.keep(new SharedMemory(16));
      expect(() => memory.write('text' as unknown as Uint8Array)).toThrow(coded('ERR_INVALID_ARG'));
    });

    it('is opened by its name, made once, and disagrees with another size', async () => {
      const name = bench.name();
      expect(() => SharedMemory.open(name)).toThrow(coded('ERR_NOT_FOUND'));
      const waiting = SharedMemory.openWhenAvailable(name, { timeoutMs: 60_000 });
      const memory = bench.keep(SharedMemory.openOrCreate(name, 10));
      bench.keep(await waiting);
      expect(() => SharedMemory.create(name, 10)).toThrow(coded('ERR_EXISTS'));
      bench.keep(SharedMemory.openOrCreate(name, 10));
      expect(thrownBy(() => SharedMemory.openOrCreate(name, 11))).toMatchObject({
        code: 'ERR_MISMATCH',
        message: expect.stringMatching(/10 bytes.*11 bytes/) as string,
      });
      expect(() => bench.Value.open(name)).toThrow(coded('ERR_KIND'));
      memory.unlink();
      expect(() => SharedMemory.open(name)).toThrow(coded('ERR_NOT_FOUND'));
    });

    it('travels, and lives as long as it is on its way', () => {
      const q = bench.keep(new Queue<SharedMemory>());
      const memory = new SharedMemory(3);
      memory.write(new Uint8Array([1, 2, 3]));
      q.putNowait(memory);
      memory.close();
      const arrived = bench.keep(q.getNowait());
      expect(arrived).toBeInstanceOf(SharedMemory);
      expect([...arrived.read()]).toEqual([1, 2, 3]);
    });

    it('is ERR_CLOSED once it is closed', () => {
      const memory = new SharedMemory(3);
      memory.close();
      memory.close();
      for (const call of [
        () => memory.read(),
        () => memory.write(new Uint8Array(1)),
        () => memory.buffer,
        () => memory.unlink(),
      ]) {
        expect(call).toThrow(coded('ERR_CLOSED'));
      }
      expect(inspect(memory)).toContain('closed: true');
    });

    it('has no options that nobody knows', () => {
      const options = { persit: true } as object;
      expect(() => new SharedMemory(3, options)).toThrow(coded('ERR_INVALID_ARG'));
      expect(() => new SharedMemory(3, { persist: true })).toThrow(coded('ERR_INVALID_ARG'));
      expect(() => new SharedMemory(3, { maxParticipants: 257 })).toThrow(coded('ERR_INVALID_ARG'));
    });
  });
}
