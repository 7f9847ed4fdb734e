import { constants } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { inspect } from 'node:util';
import { MessageChannel, markAsUntransferable } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PosixSharedMemory } from '../../src/posix.js';
import { thrownBy } from '../unit/thrown-by.js';
import { PosixNames } from './posix-names.js';
import { coded, rows } from './subject.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('/dev/shm/').length - 1;

/** `hasBuffers`: false where the runtime allows no ArrayBuffer over memory that is not its own, or as if. */
export function posixSharedMemory(label: string, { hasBuffers }: { hasBuffers: boolean }): void {
  const names = new PosixNames(label);
  const create = (byteLength = 100, name = names.next()) =>
    names.keep(PosixSharedMemory.create(name, byteLength));
  const open = (name: string, options?: { readOnly: boolean }) =>
    names.keep(PosixSharedMemory.open(name, options));
  const contentOf = ({ name }: PosixSharedMemory) => readFileSync(PosixNames.fileOf(name));

  describe('creating and opening', () => {
    it('gives zeros of the size asked for, to all who open it', () => {
      const memory = create(10_001);
      expect(memory.byteLength).toBe(10_001);
      expect(contentOf(memory)).toEqual(Buffer.alloc(10_001));
      const same = open(memory.name);
      expect([same.name, same.byteLength, same.readOnly]).toEqual([memory.name, 10_001, false]);
      memory.unlink();
    });

    it('takes names with a slash and without as the same', () => {
      const memory = create();
      const bare = memory.name.slice(1);
      expect(open(bare).name).toBe(memory.name);
      PosixSharedMemory.unlink(bare);
      expect(names.left()).toEqual([]);
    });

    it('takes any file name, as long as the system does', () => {
      for (const odd of ['ä ö', '-x', '日本', 'a\nb', '..x']) {
        const memory = create(8, `${names.next()}${odd}`);
        open(memory.name);
        memory.unlink();
      }
      const stem = names.next();
      const memory = create(8, stem.padEnd(256, 'x')); // and the slash
      open(memory.name);
      memory.unlink();
      for (const call of [
        () => PosixSharedMemory.create(stem.padEnd(257, 'x'), 8),
        () => PosixSharedMemory.open(stem.padEnd(257, 'x')),
        () => PosixSharedMemory.openOrCreate(stem.padEnd(257, 'x'), 8),
        () => PosixSharedMemory.unlink(stem.padEnd(257, 'x')),
        () => PosixSharedMemory.unlink(stem.padEnd(1000, 'x')),
      ]) {
        expect(thrownBy(call)).toMatchObject({ code: 'ERR_INVALID_ARG', errno: 36 });
      }
    });

    it.each(rows<unknown>(['', '/', '.', '/..', '//a', 'a/b', 'a/', 'a\0b', '\ud800', 7, null]))(
      'refuses the name %s',
      (_, name) => {
        for (const call of [
          () => PosixSharedMemory.create(name as string, 8),
          () => PosixSharedMemory.open(name as string),
          () => PosixSharedMemory.openOrCreate(name as string, 8),
          () => PosixSharedMemory.unlink(name as string),
        ]) {
          expect(thrownBy(call)).toMatchObject({ code: 'ERR_INVALID_ARG' });
        }
      },
    );

    it.each(rows<unknown>([0, -1, 1.5, NaN, Infinity, '8', 8n, undefined, null, 2 ** 53]))(
      'refuses the size %s, and makes nothing',
      (_, byteLength) => {
        const name = names.next();
        for (const how of ['create', 'openOrCreate'] as const) {
          expect(thrownBy(() => PosixSharedMemory[how](name, byteLength as number))).toMatchObject({
            code: 'ERR_INVALID_ARG',
            message: expect.stringContaining(inspect(byteLength)),
          });
        }
      },
    );

    it.each(
      rows<unknown>([
        null,
        7,
        { mode: -1 },
        { mode: 0o1000 },
        { mode: 6.5 },
        { mode: '600' },
        { m: 1 },
      ]),
    )('refuses the options %s', (_, options) => {
      expect(
        thrownBy(() => PosixSharedMemory.create(names.next(), 8, options as object)),
      ).toMatchObject({ code: 'ERR_INVALID_ARG' });
    });

    it.each(rows<unknown>([null, { readOnly: 1 }, { mode: 0o600 }]))(
      'refuses the options %s to open',
      (_, options) => {
        const memory = create();
        expect(thrownBy(() => open(memory.name, options as never))).toMatchObject({
          code: 'ERR_INVALID_ARG',
        });
        memory.unlink();
      },
    );

    it('says that it is there already, and leaves it as it is', () => {
      const memory = create(8);
      memory.write(bytes(1, 2, 3));
      expect(thrownBy(() => create(4, memory.name))).toMatchObject({
        code: 'ERR_EXISTS',
        errno: 17,
        syscall: 'linkat',
        message: expect.stringContaining(memory.name),
      });
      expect([...contentOf(memory)]).toEqual([1, 2, 3, 0, 0, 0, 0, 0]);
      memory.unlink();
    });

    it('says that it is not there', () => {
      const name = names.next();
      expect(thrownBy(() => open(name))).toMatchObject({
        code: 'ERR_NOT_FOUND',
        errno: 2,
        syscall: 'shm_open',
      });
      expect(thrownBy(() => PosixSharedMemory.unlink(name))).toMatchObject({
        code: 'ERR_NOT_FOUND',
        errno: 2,
        syscall: 'shm_unlink',
      });
    });

    it('opens or creates, and says when the sizes disagree', () => {
      const name = names.next();
      const made = names.keep(PosixSharedMemory.openOrCreate(name, 64));
      made.write(bytes(5));
      const same = names.keep(PosixSharedMemory.openOrCreate(name, 64));
      expect(same.read(new Uint8Array(1))).toEqual(bytes(5));
      const before = mappings();
      expect(thrownBy(() => PosixSharedMemory.openOrCreate(name, 65))).toMatchObject({
        code: 'ERR_MISMATCH',
        message: expect.stringMatching(/64 bytes, 65/),
      });
      expect(mappings()).toBe(before);
      made.unlink();
    });

    it('says that there is no room, and leaves nothing', () => {
      const { bsize, blocks } = statfsSync('/dev/shm');
      const byteLength = blocks === 0 ? Number.MAX_SAFE_INTEGER : bsize * (blocks + 1);
      const before = statfsSync('/dev/shm').bfree;
      expect(thrownBy(() => create(byteLength))).toMatchObject({
        code: 'ERR_NO_SPACE',
        errno: 28,
        syscall: 'posix_fallocate',
      });
      // Others may use it meanwhile, but not for so much.
      expect(before - statfsSync('/dev/shm').bfree).toBeLessThan(blocks / 2);
    });

    it('reserves all of it at once', () => {
      const memory = create(1 << 20);
      expect(statSync(PosixNames.fileOf(memory.name)).blocks * 512).toBeGreaterThanOrEqual(1 << 20);
      memory.unlink();
    });

    it('gives it the mode asked for, less the umask', () => {
      const modeOf = (name: string) => statSync(PosixNames.fileOf(name)).mode & 0o777;
      const umask = process.umask(0o026);
      try {
        const own = create();
        const shared = names.keep(PosixSharedMemory.create(names.next(), 8, { mode: 0o666 }));
        expect([modeOf(own.name), modeOf(shared.name)]).toEqual([0o600, 0o640]);
        own.unlink();
        shared.unlink();
      } finally {
        process.umask(umask);
      }
    });

    it('refuses what is no shared memory, and never waits for it', () => {
      const name = names.next();
      const file = PosixNames.fileOf(name);
      mkdirSync(file);
      for (const readOnly of [false, true]) {
        expect(thrownBy(() => open(name, { readOnly }))).toMatchObject({ code: 'ERR_KIND' });
      }
      rmdirSync(file);
      execFileSync('mkfifo', [file]);
      for (const readOnly of [false, true]) {
        expect(thrownBy(() => open(name, { readOnly }))).toMatchObject({ code: 'ERR_KIND' });
      }
      unlinkSync(file);
      symlinkSync('/etc/passwd', file);
      for (const readOnly of [false, true]) {
        expect(thrownBy(() => open(name, { readOnly }))).toMatchObject({ code: 'ERR_PERMISSION' });
      }
      unlinkSync(file);
    });

    it('refuses an object that has no size yet', () => {
      const name = names.next();
      writeFileSync(PosixNames.fileOf(name), '');
      for (const call of [
        () => PosixSharedMemory.open(name),
        () => PosixSharedMemory.openOrCreate(name, 8),
      ]) {
        expect(thrownBy(call)).toMatchObject({ code: 'ERR_CORRUPT' });
      }
      PosixSharedMemory.unlink(name);
    });

    it('opens one larger than this machine has memory, as long as nobody touches it', () => {
      const name = names.next();
      const descriptor = openSync(PosixNames.fileOf(name), 'w+');
      ftruncateSync(descriptor, 2 ** 40);
      closeSync(descriptor);
      const memory = open(name);
      expect(memory.byteLength).toBe(2 ** 40);
      memory.write(bytes(1, 2), 2 ** 40 - 2);
      // Node 20 knows no ArrayBuffers of this size.
      if (constants.MAX_LENGTH < 2 ** 40) {
        expect(thrownBy(() => memory.buffer)).toMatchObject({
          code: 'ERR_UNSUPPORTED',
          message: expect.stringContaining(`${constants.MAX_LENGTH}`),
        });
      } else if (hasBuffers) {
        expect(new Uint8Array(memory.buffer, 2 ** 40 - 2)).toEqual(bytes(1, 2));
      }
      expect(memory.read(new Uint8Array(2), 2 ** 40 - 2)).toEqual(bytes(1, 2));
      memory.unlink();
    });
  });

  describe('reading and writing', () => {
    it('moves bytes to and from any place', () => {
      const memory = create(10);
      const same = open(memory.name);
      memory.write(bytes(1, 2, 3));
      memory.write(bytes(9), 9);
      memory.write(bytes(), 10);
      const target = new Uint8Array(10);
      expect(same.read(target)).toBe(target);
      expect(target).toEqual(bytes(1, 2, 3, 0, 0, 0, 0, 0, 0, 9));
      expect(same.read(Buffer.alloc(2), 1)).toEqual(Buffer.from([2, 3]));
      expect(same.read(bytes(), 10)).toEqual(bytes());
      memory.unlink();
    });

    it('leaves everything around it alone, whatever the place and length', () => {
      const memory = create(64);
      const model = new Uint8Array(64);
      const place = fc.record({ offset: fc.nat(64), data: fc.uint8Array({ maxLength: 64 }) });
      fc.assert(
        fc.property(place, ({ offset, data }) => {
          fc.pre(offset + data.length <= 64);
          model.set(data, offset);
          memory.write(data, offset);
          expect(memory.read(new Uint8Array(64))).toEqual(model);
          const part = memory.read(new Uint8Array(data.length + 2).subarray(1, -1), offset);
          expect([...new Uint8Array(part.buffer)]).toEqual([0, ...data, 0]);
        }),
      );
      memory.unlink();
    });

    it.each([
      [-1, 1],
      [0, 9],
      [8, 1],
      [9, 0],
      [0.5, 1],
      [NaN, 1],
      [Infinity, 0],
      ['1', 1],
      [null, 1],
    ])('refuses offset %o with %i bytes of 8, and moves none', (offset, length) => {
      const memory = create(8);
      memory.write(new Uint8Array(8).fill(1));
      const target = new Uint8Array(length).fill(2);
      for (const call of [
        () => memory.read(target, offset as number),
        () => memory.write(target, offset as number),
      ]) {
        expect(thrownBy(call)).toMatchObject({ code: 'ERR_INVALID_ARG' });
      }
      expect([...target]).toEqual(Array(length).fill(2));
      expect([...contentOf(memory)]).toEqual(Array(8).fill(1));
      memory.unlink();
    });

    it.each(rows<unknown>([undefined, null, 'text', [1], new Uint16Array(1), new ArrayBuffer(1)]))(
      'refuses %s, which is no Uint8Array',
      (_, data) => {
        const memory = create();
        expect(thrownBy(() => memory.read(data as Uint8Array))).toMatchObject({
          code: 'ERR_INVALID_ARG',
        });
        expect(thrownBy(() => memory.write(data as Uint8Array))).toMatchObject({
          code: 'ERR_INVALID_ARG',
        });
        memory.unlink();
      },
    );

    it('reads only, where that was asked for', () => {
      const memory = create(8);
      memory.write(bytes(1, 2, 3));
      const reader = open(memory.name, { readOnly: true });
      expect(reader.readOnly).toBe(true);
      expect(reader.read(new Uint8Array(3))).toEqual(bytes(1, 2, 3));
      expect(thrownBy(() => reader.write(bytes(4)))).toMatchObject({ code: 'ERR_PERMISSION' });
      expect(thrownBy(() => reader.buffer)).toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: expect.stringContaining('read()'),
      });
      expect([...contentOf(memory).subarray(0, 3)]).toEqual([1, 2, 3]);
      memory.unlink();
    });
  });

  describe.runIf(!hasBuffers)('without ArrayBuffers over foreign memory', () => {
    it('has no buffer, and says what to do', () => {
      const memory = create();
      expect(thrownBy(() => memory.buffer)).toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: expect.stringContaining('read() and write()'),
      });
      memory.write(bytes(7));
      expect(contentOf(memory)[0]).toBe(7);
      memory.unlink();
    });
  });

  describe.runIf(hasBuffers)('the buffer', () => {
    it('is the memory itself, and always the same', () => {
      const memory = create(4096);
      const same = open(memory.name);
      expect(memory.buffer).toBe(memory.buffer);
      expect(memory.buffer.byteLength).toBe(4096);
      new Uint32Array(memory.buffer)[3] = 0x01020304;
      expect(new DataView(same.buffer).getUint32(12, true)).toBe(0x01020304);
      expect(Atomics.add(new Int32Array(same.buffer), 0, 5)).toBe(0);
      expect(memory.read(new Uint8Array(1))).toEqual(bytes(5));
      memory.unlink();
    });

    it('may be read into, and written from', () => {
      const memory = create(6);
      memory.write(bytes(1, 2, 3, 4, 5, 6));
      memory.read(new Uint8Array(memory.buffer, 2, 4));
      expect([...contentOf(memory)]).toEqual([1, 2, 1, 2, 3, 4]);
      memory.write(new Uint8Array(memory.buffer, 0, 4), 1);
      expect([...contentOf(memory)]).toEqual([1, 1, 2, 1, 2, 4]);
      memory.unlink();
    });

    it('is detached by close, with every array over it', () => {
      const memory = create(4096);
      const { buffer } = memory;
      const array = new Uint8Array(buffer);
      const float = new Float64Array(buffer, 8, 4);
      array.fill(1);
      memory.close();
      expect([buffer.byteLength, array.length, float.length]).toEqual([0, 0, 0]);
      expect(array[0]).toBeUndefined();
      array[0] = 2;
      PosixSharedMemory.unlink(memory.name);
    });

    it('is not taken away by a transfer', () => {
      const memory = create(8);
      const { buffer } = memory;
      const { port1, port2 } = new MessageChannel();
      for (const call of [
        () => structuredClone(buffer, { transfer: [buffer] }),
        () => port1.postMessage(buffer, [buffer]),
        () => 'transfer' in buffer && (buffer as { transfer(): ArrayBuffer }).transfer(),
        () =>
          'transferToFixedLength' in buffer &&
          (buffer as { transferToFixedLength(): ArrayBuffer }).transferToFixedLength(),
      ]) {
        // Some Nodes refuse, others hand over a copy.
        try {
          call();
        } catch {
          // It stays, either way.
        }
        expect(buffer.byteLength).toBe(8);
      }
      port1.close();
      port2.close();
      memory.unlink();
    });

    it('says that it cannot be transferred', () => {
      const memory = create(8);
      const { buffer } = memory;
      if ('transfer' in buffer) {
        expect(thrownBy(() => (buffer as { transfer(): ArrayBuffer }).transfer())).toMatchObject({
          code: 'ERR_UNSUPPORTED',
        });
      }
      expect(Object.keys(buffer)).toEqual([]);
      memory.unlink();
    });

    it('that was marked as untransferable does no harm at close', () => {
      const memory = create(8);
      markAsUntransferable(memory.buffer);
      const array = new Uint8Array(memory.buffer);
      memory.close();
      memory.close();
      array[0] = 1; // detached, or mapped still
      PosixSharedMemory.unlink(memory.name);
    });

    it('that something has taken away all the same stays whole', () => {
      const memory = create(8);
      const { buffer } = memory;
      const { transfer } = ArrayBuffer.prototype as { transfer?(this: ArrayBuffer): ArrayBuffer };
      if (transfer === undefined) return memory.unlink();
      memory.write(bytes(1, 2));
      const taken = new Uint8Array(transfer.call(buffer));
      expect(memory.buffer).toBe(buffer);
      expect(memory.read(new Uint8Array(2))).toEqual(bytes(1, 2));
      memory.close();
      taken[0] = 9;
      expect([...taken.subarray(0, 2)]).toEqual([9, 2]);
      expect([...contentOf(memory).subarray(0, 2)]).toEqual([9, 2]);
      PosixSharedMemory.unlink(memory.name);
    });
  });

  describe('closing and unlinking', () => {
    it('unmaps at once, keeps the object, and does nothing the second time', () => {
      const before = mappings();
      const memory = create(8192);
      memory.write(bytes(3));
      if (hasBuffers) void memory.buffer;
      expect(mappings()).toBe(before + 1);
      memory.close();
      memory.close();
      expect(mappings()).toBe(before);
      expect(open(memory.name).read(new Uint8Array(1))).toEqual(bytes(3));
      PosixSharedMemory.unlink(memory.name);
    });

    it('says that it is closed, whatever is called', () => {
      const memory = create();
      memory.close();
      for (const call of [
        () => memory.buffer,
        () => memory.read(new Uint8Array(1)),
        () => memory.write(bytes(1)),
        () => memory.unlink(),
      ]) {
        expect(thrownBy(call)).toMatchObject({ code: 'ERR_CLOSED' });
      }
      expect(memory.byteLength).toBe(100);
      PosixSharedMemory.unlink(memory.name);
    });

    it('removes the name only: who has it open goes on, and the name is free', () => {
      const memory = create(8);
      const same = open(memory.name);
      memory.unlink();
      expect(thrownBy(() => open(memory.name))).toMatchObject({ code: 'ERR_NOT_FOUND' });
      expect(thrownBy(() => same.unlink())).toMatchObject({ code: 'ERR_NOT_FOUND' });
      memory.write(bytes(1));
      expect(same.read(new Uint8Array(1))).toEqual(bytes(1));
      const other = create(16, memory.name);
      expect(other.read(new Uint8Array(1))).toEqual(bytes(0));
      other.unlink();
    });

    it('closes at the end of a using block', () => {
      const memory = create();
      memory[Symbol.dispose]();
      expect(thrownBy(() => memory.read(bytes()))).toEqual(coded('ERR_CLOSED'));
      PosixSharedMemory.unlink(memory.name);
    });

    it('is shown with what it is', () => {
      const memory = create(5);
      expect(inspect(memory)).toBe(
        `PosixSharedMemory '${memory.name}' { byteLength: 5, readOnly: false }`,
      );
      memory.unlink();
      memory.close();
      expect(inspect(memory)).toMatch(/\{ byteLength: 5, closed: true \}$/);
    });
  });
}
