/** The files in which a hub shows what its states hold: read without asking, never torn, and what one has said oneself is in them. */

import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

import { JOIN } from '../../../src/contract/channel.js';
import { STATE_DEFAULTS, wholeBytes } from '../../../src/contract/state.js';
import type { Cells, State, StateGeometry, StateOptions } from '../../../src/contract/state.js';
import { StateFiles } from '../../../src/backends/brokered/hub/state-files.js';
import type { StateFile } from '../../../src/backends/brokered/hub/state-files.js';
import type { Link } from '../../../src/backends/brokered/remote/link.js';
import { openState } from '../../../src/backends/brokered/remote/remote-state.js';
import { StateFileReader } from '../../../src/backends/brokered/remote/state-file-reader.js';
import { layoutOf } from '../../../src/backends/brokered/state-layout.js';
import type { StateLayout } from '../../../src/backends/brokered/state-layout.js';
import { DirectBackend } from '../direct-backend.js';
import { thrownBy } from '../thrown-by.js';

// In memory, where nothing but the order of the writes keeps a reader from seeing half of them.
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const directory = mkdtempSync(join(base, 'interproc-state-files-'));

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const VALUE = { kind: 'value', byteLength: 8 } as const;

describe('read from a file', () => {
  let backend: DirectBackend;
  let one: Link;
  let requests = 0;
  const states: State[] = [];

  beforeEach(() => {
    backend = new DirectBackend(directory);
    one = backend.anotherLink();
    const ask = one.ask.bind(one);
    one.ask = (rest) => {
      requests++;
      return ask(rest);
    };
  });

  afterEach(() => {
    for (const state of states.splice(0)) state.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  function open(link: Link, options: Partial<StateOptions>): State {
    const state = openState(link, 'it', 'openOrCreate', {
      ...STATE_DEFAULTS,
      ...VALUE,
      schema: '',
      parameter: 0,
      persist: false,
      ...options,
    });
    states.push(state);
    return state;
  }

  function cellsOf({ cells }: State): Cells {
    if (cells === undefined) throw new Error('no cells');
    return cells;
  }

  /** How many requests it takes. */
  function cost(act: () => unknown): number {
    const before = requests;
    act();
    return requests - before;
  }

  /** Until it asks no more. */
  function warm(load: () => unknown): void {
    for (let i = 0; i < 100; i++) if (cost(load) === 0) return;
    throw new Error('it goes on asking');
  }

  it('an element is what anybody stored last', () => {
    const cells = cellsOf(open(one, VALUE)).ofType('float64');
    const others = cellsOf(open(backend.anotherLink(), VALUE)).ofType('float64');
    const load = () => cells.operate('load', 0);
    warm(load);
    for (const value of [1, -0, 2.5, NaN]) {
      others.operate('store', 0, value);
      expect(cost(() => expect(load()).toBe(value))).toBe(0);
      others.operate('exchange', 0, value + 1);
      expect(load()).toBe(value + 1);
    }
  });

  it('what was stored is in the file when the store returns', () => {
    const [cells, same] = [1, 2].map(() => cellsOf(open(one, VALUE)).ofType('int32'));
    const load = () => same?.operate('load', 0);
    warm(load);
    cells?.operate('store', 0, 7);
    expect(cost(() => expect(load()).toBe(7))).toBe(0);
  });

  it.each([
    ['array', 5000],
    ['memory', 5000],
    ['list', 47],
  ] as const)('any range of an %s of %d bytes', (kind, byteLength) => {
    const state = open(one, { kind, byteLength });
    const model = new Uint8Array(byteLength);
    const read = (at: number, length: number) => {
      const into = new Uint8Array(length);
      state.read(at, into);
      return into;
    };
    warm(() => read(0, 1));
    for (let i = 0; i < 40; i++) {
      const at = (i * 97) % byteLength;
      const from = new Uint8Array(Math.min(byteLength - at, (i * 13) % 120)).fill(i + 1);
      state.write(at, from);
      model.set(from, at);
      read(0, 1);
      const from48 = Math.max(0, at - 50);
      expect(
        cost(() =>
          expect(read(from48, from.length)).toEqual(model.slice(from48, from48 + from.length)),
        ),
      ).toBe(0);
    }
    expect(read(0, byteLength)).toEqual(model);
  });

  it('a whole value, with the version that a write expects', () => {
    const parameter = 100;
    const whole = { ...VALUE, byteLength: 2 * wholeBytes(parameter), parameter };
    const cells = cellsOf(open(one, whole));
    const others = cellsOf(open(backend.anotherLink(), whole));
    const into = new Uint8Array(wholeBytes(parameter));
    warm(() => cells.readWhole(into));
    others.writeWhole(new Uint8Array(into.length).fill(3), undefined);
    let version = 0n;
    expect(cost(() => (version = cells.readWhole(into)))).toBe(0);
    expect(into).toEqual(new Uint8Array(into.length).fill(3));
    expect(cells.writeWhole(into, version)).toBe(true);
    expect(cells.writeWhole(into, version)).toBe(false);
  });

  it('does not mistake what it has seen when it waits', async () => {
    const state = open(one, VALUE);
    const cells = cellsOf(state);
    const others = cellsOf(open(backend.anotherLink(), VALUE)).ofType('int32');
    const typed = cells.ofType('int32');
    const rung: number[] = [];
    state.onReady = (side) => rung.push(side);
    warm(() => typed.operate('load', 0));
    cells.beforeLook();
    typed.operate('load', 0);
    typed.operate('load', 0);
    state.arm(JOIN);
    await turn();
    await turn();
    expect(rung).toEqual([]);
    others.operate('store', 0, 1);
    await turn();
    await turn();
    expect(rung).toEqual([JOIN]);
    // Between the look and the wait.
    warm(() => typed.operate('load', 0));
    cells.beforeLook();
    typed.operate('load', 0);
    others.operate('store', 0, 2);
    state.arm(JOIN);
    await turn();
    await turn();
    expect(rung).toEqual([JOIN, JOIN]);
  });

  it('asks when the file is too short, or gone, or not a file of ours', () => {
    const cells = cellsOf(open(one, VALUE)).ofType('int32');
    const load = () => cells.operate('load', 0);
    warm(load);
    const [name] = readdirSync(directory);
    const path = join(directory, name ?? '');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    truncateSync(path, 3);
    expect(cost(load)).toBe(1);
    const layout = layoutOf({ ...STATE_DEFAULTS, ...VALUE } as StateGeometry) as StateLayout;
    expect(StateFileReader.open(join(directory, 'none'), layout)).toBe(undefined);
    expect(StateFileReader.open(directory, layout)).toBe(undefined);
  });

  it('does without where there is no directory for it', () => {
    const bare = new DirectBackend(join(directory, 'none'));
    const cells = cellsOf(open(bare.anotherLink(), VALUE)).ofType('int32');
    for (let i = 0; i < 20; i++) {
      cells.operate('store', 0, i);
      expect(cells.operate('load', 0)).toBe(i);
    }
  });

  it('throws ERR_BROKER once the hub is known to be gone, and ERR_CLOSED when it is closed', () => {
    const state = open(one, VALUE);
    // Others have it open still, so that the file stays, as it does when a broker is killed.
    open(backend.anotherLink(), VALUE);
    const cells = cellsOf(state).ofType('int32');
    const load = () => cells.operate('load', 0);
    warm(load);
    one.close();
    expect(thrownBy(load)).toMatchObject({ code: 'ERR_BROKER' });
    state.close();
    expect(thrownBy(load)).toMatchObject({ code: 'ERR_CLOSED' });
  });

  it.runIf(existsSync('/proc/self/fd'))('keeps no descriptor when it closes', () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const state = open(one, VALUE);
    const other = open(one, VALUE);
    for (const { cells } of [state, other]) warm(() => cells?.ofType('int32').operate('load', 0));
    expect(descriptors()).toBe(before + 3);
    state.close();
    other.close();
    expect(descriptors()).toBe(before);
  });

  it('goes with its object, kept or not', () => {
    const state = open(one, { ...VALUE, persist: true });
    warm(() => cellsOf(state).ofType('int32').operate('load', 0));
    expect(readdirSync(directory)).toHaveLength(1);
    state.close();
    expect(readdirSync(directory)).toEqual([]);
    backend.prune({ dryRun: false });
    const again = open(backend.anotherLink(), VALUE);
    again.unlink();
  });
});

describe('a block that is being changed', () => {
  const array = { ...STATE_DEFAULTS, kind: 'array', byteLength: 480, parameter: 0 };
  const lines = layoutOf(array as StateGeometry) as StateLayout;
  /** Of blocks so large that a look and a change often meet. */
  const large: StateLayout = { payloadBytes: 65520, blockBytes: 65536, blocks: 1, isWhole: false };
  const bytes = new Uint8Array(large.payloadBytes);
  const opened: { close(): void }[] = [];

  function fileOf(layout: StateLayout) {
    const file = new StateFiles(directory).create(layout, bytes, () => 0n) as StateFile;
    const reader = StateFileReader.open(file.path, layout) as StateFileReader;
    opened.push(file, reader);
    return { file, reader };
  }

  afterEach(() => {
    for (const one of opened.splice(0)) one.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['has begun', 56],
    ['is half done', 0],
  ])('%s: it is asked for', (_, at) => {
    const { file, reader } = fileOf(lines);
    expect(reader.read(0, new Uint8Array(8))).toBe(true);
    const image = new Uint8Array([9]);
    writeAt(file.path, at, image);
    expect(reader.read(0, new Uint8Array(8))).toBe(false);
    expect(reader.locate(0)).toBe(-1);
    // Others are not concerned.
    expect(reader.read(48, new Uint8Array(8))).toBe(true);
  });

  it('is never seen torn by another thread', async () => {
    const { file, reader } = fileOf(large);
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       import(workerData.reader).then(({ StateFileReader }) => {
         const reader = StateFileReader.open(workerData.path, workerData.layout);
         const into = new Uint8Array(65520);
         let torn = 0, whole = 0, newest = 0;
         const end = performance.now() + 500;
         while (performance.now() < end) {
           if (!reader.read(0, into)) continue;
           whole++;
           if (into.some((byte) => byte !== into[0])) torn++;
           newest = Math.max(newest, into[0]);
         }
         parentPort.postMessage({ torn, whole, newest });
       });`,
      {
        eval: true,
        workerData: {
          reader: new URL(
            '../../../dist/backends/brokered/remote/state-file-reader.js',
            import.meta.url,
          ).href,
          path: file.path,
          layout: large,
        },
      },
    );
    let found: { torn: number; whole: number; newest: number } | undefined;
    worker.once('message', (message) => (found = message));
    for (let i = 0; found === undefined; i++) {
      for (let j = 0; j < 200; j++) {
        bytes.fill(((i * 200 + j) % 255) + 1);
        file.changed(0, bytes.length);
        file.flush();
      }
      await turn();
    }
    expect(found.torn).toBe(0);
    expect(found.newest).toBeGreaterThan(0);
    const into = new Uint8Array(bytes.length);
    expect(reader.read(0, into)).toBe(true);
    expect(into).toEqual(bytes);
    await worker.terminate();
  });
});

function writeAt(path: string, at: number, bytes: Uint8Array): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}
