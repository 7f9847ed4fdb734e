import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { NativeBackend } from '../../../src/backends/native/native-backend.js';
import type { State, StateOptions } from '../../../src/contract/state.js';

const OPTIONS: StateOptions = {
  kind: 'memory',
  byteLength: 100,
  schema: 'bytes',
  parameter: 7,
  persist: false,
  maxParticipants: 8,
};

describe('a native state', () => {
  const backend = new NativeBackend();
  const opened: State[] = [];
  let directory = '';
  const before = process.env['INTERPROC_DIR'];

  function open(
    mode: 'create' | 'open',
    options: Partial<StateOptions> = {},
    initial?: Uint8Array,
  ): State {
    const state = backend.openState('state', mode, { ...OPTIONS, ...options }, initial);
    opened.push(state);
    return state;
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'interproc-state-'));
    process.env['INTERPROC_DIR'] = directory;
  });

  afterEach(() => {
    for (const state of opened.splice(0)) state.close();
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
    delete process.env['INTERPROC_COPY_STATE'];
    if (before === undefined) delete process.env['INTERPROC_DIR'];
    else process.env['INTERPROC_DIR'] = before;
  });

  it('has the name of what the killed left behind, also of another kind', () => {
    const file = join(directory, 'state');
    const abandon = (object: { close(): void }) => {
      copyFileSync(file, `${file}.left`);
      object.close();
      renameSync(`${file}.left`, file);
    };
    abandon(backend.openChannel('state', 'create', {}));
    open('create').close();
    abandon(backend.openSpsc('state', 'create', { role: 'producer' }));
    expect(() => open('open')).toThrow(expect.objectContaining({ code: 'ERR_NOT_FOUND' }));
    abandon(open('create'));
    backend.openChannel('state', 'create', {}).close();
    open('create', { persist: true });
    opened.pop()?.close();
    expect(() => backend.openChannel('state', 'create', {})).toThrow(
      expect.objectContaining({ code: 'ERR_EXISTS' }),
    );
    open('open').unlink();
  });

  it('tells who opens it what it was created with', () => {
    open('create', {}, new Uint8Array([1, 2, 3]));
    const met = open('open', { byteLength: 0, schema: '' });
    expect(met.geometry).toEqual({ ...OPTIONS, anonymous: false });
    expect([...new Uint8Array(met.buffer as ArrayBuffer, 0, 5)]).toEqual([1, 2, 3, 0, 0]);
  });

  it('shows everybody the same bytes', () => {
    const one = new Uint8Array(open('create').buffer as ArrayBuffer);
    const other = new Uint8Array(open('open').buffer as ArrayBuffer);
    one[99] = 42;
    expect(other[99]).toBe(42);
    expect(one).toHaveLength(100);
  });

  it('detaches what is kept of its bytes when it closes', () => {
    const state = open('create');
    const kept = new Uint8Array(state.buffer as ArrayBuffer);
    state.close();
    expect(kept).toHaveLength(0);
  });

  // Not there before Node 21.
  const { transfer } = ArrayBuffer.prototype as { transfer?: (this: ArrayBuffer) => ArrayBuffer };
  it.skipIf(transfer === undefined)(
    'keeps the memory of a buffer that was transferred away',
    () => {
      const state = open('create', {}, new Uint8Array([9]));
      const moved = transfer?.call(state.buffer as ArrayBuffer) as ArrayBuffer;
      state.close();
      expect(new Uint8Array(moved)[0]).toBe(9);
      // Until the memory is garbage it is attached, and so the file stays: removed here by its name.
      open('open').unlink();
    },
  );

  it('is copied from and to where there can be no buffer', () => {
    process.env['INTERPROC_COPY_STATE'] = '1';
    const state = open('create');
    expect(state.buffer).toBeUndefined();
    state.write(98, new Uint8Array([5, 6]));
    const into = new Uint8Array(3);
    state.read(97, into);
    expect([...into]).toEqual([0, 5, 6]);
  });

  it.each([
    [-1, 1],
    [100, 1],
    [99, 2],
    [NaN, 0],
  ])('refuses to copy what is not inside: %d, %d bytes', (offset, length) => {
    const state = open('create');
    const bytes = new Uint8Array(length);
    expect(() => state.read(offset, bytes)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG' }),
    );
    expect(() => state.write(offset, bytes)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG' }),
    );
  });

  it('sleeps until somebody tells of a change, if it is a value', async () => {
    const options = { kind: 'value', byteLength: 4, schema: 'int32', parameter: 0 } as const;
    const one = open('create', options);
    const other = open('open', options);
    const ready = new Promise((resolve) => {
      one.onReady = resolve;
    });
    one.cells?.beforeLook();
    expect(one.arm(2)).toBe(false);
    other.cells?.ofType('int32').operate('add', 0, 1);
    expect(await ready).toBe(2);
    one.close();
    other.close();
    for (const bell of readdirSync(directory)) rmSync(join(directory, bell));
  });

  it('touches nothing once it is closed, whatever has its token then', () => {
    const options = { kind: 'value', byteLength: 16, schema: '{}', parameter: 8 } as const;
    const closed = open('create', options);
    const { cells, parts } = closed;
    const numbers = cells?.ofType('int32');
    const { token } = closed as unknown as { token: number };
    closed.close();
    const heir = open('create', options);
    expect(heir).toHaveProperty('token', token);
    for (const use of [
      () => cells?.beforeLook(),
      () => cells?.notify(),
      () => cells?.readWhole(new Uint8Array(8)),
      () => cells?.writeWhole(new Uint8Array(8), undefined),
      () => numbers?.operate('add', 0, 1),
      () => parts.lock?.tryAcquire(true),
      () => parts.lock?.isLocked(),
    ])
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    expect(heir.parts.lock?.isLocked()).toBe(false);
  });

  it('is listed by its kind', () => {
    open('create');
    expect(backend.list()).toEqual([
      expect.objectContaining({ name: 'state', kind: 'memory', size: 100, participants: 1 }),
    ]);
  });

  it('cannot be opened as what it is not', () => {
    open('create');
    expect(() => open('open', { kind: 'list' })).toThrow(
      expect.objectContaining({ code: 'ERR_KIND' }),
    );
    expect(() => backend.openChannel('state', 'open', {})).toThrow(
      expect.objectContaining({ code: 'ERR_KIND' }),
    );
  });
});
