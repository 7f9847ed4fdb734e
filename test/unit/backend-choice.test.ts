import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { setEnvironmentData, Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BackendChoice, describing } from '../../src/backend-choice.js';
import type { Makers } from '../../src/backend-choice.js';
import { BROKERED_CAPABILITIES } from '../../src/backends/brokered/capabilities.js';
import type { Backend, BackendKind } from '../../src/contract/channel.js';
import { InterprocError } from '../../src/errors.js';
import { thrownBy } from './thrown-by.js';

const WHY = 'The native addon does not load here (no libstdc++)';

/** A thread where native cannot be had, which chooses when it is told to start. */
const FALLS_BACK = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { dist, start } = workerData;
  Promise.all([
    import(dist + 'backend-choice.js'),
    import(dist + 'errors.js'),
  ]).then(([{ BackendChoice }, { InterprocError }]) => {
    const choice = new BackendChoice({
      native() {
        throw new InterprocError('ERR_UNSUPPORTED', 'It does not load here');
      },
      socket: () => ({ kind: 'socket', capabilities: {} }),
    });
    parentPort.postMessage('ready');
    Atomics.wait(start, 0, 0);
    choice.select();
  });
`;

/** Backends that note when they are made. `absent` cannot be had. */
function choiceWithout(...absent: BackendKind[]): { choice: BackendChoice; made: BackendKind[] } {
  const made: BackendKind[] = [];
  const maker = (kind: BackendKind) => () => {
    if (absent.includes(kind)) throw new InterprocError('ERR_UNSUPPORTED', WHY);
    made.push(kind);
    return { kind, capabilities: BROKERED_CAPABILITIES } as Backend;
  };
  const makers: Makers = {
    native: maker('native'),
    socket: maker('socket'),
    memory: maker('memory'),
  };
  return { choice: new BackendChoice(makers), made };
}

describe('the choice of a backend', () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  const before = process.env['INTERPROC_BACKEND'];

  beforeEach(() => {
    delete process.env['INTERPROC_BACKEND'];
    warnings.length = 0;
    process.on('warning', note);
  });

  afterEach(() => {
    process.off('warning', note);
    setEnvironmentData('interproc.fallback-warned', undefined);
    if (before === undefined) delete process.env['INTERPROC_BACKEND'];
    else process.env['INTERPROC_BACKEND'] = before;
  });

  it('is native where that can be had, and says so', () => {
    const { choice, made } = choiceWithout();
    expect(made).toEqual([]);
    expect(choice.select().kind).toBe('native');
    expect(choice.select()).toBe(choice.select('native'));
    expect(made).toEqual(['native']);
    expect(choice.chosen.reason).toBe('The native addon loads, and INTERPROC_BACKEND is not set.');
  });

  it('is socket where native cannot be had, with a warning that is given once', async () => {
    const warned = once(process, 'warning');
    const { choice, made } = choiceWithout('native');
    expect(choice.select().kind).toBe('socket');
    expect(choiceWithout('native').choice.select().kind).toBe('socket');
    expect(made).toEqual(['socket']);
    expect(choice.chosen.reason).toContain(WHY);
    await warned;
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ name: 'InterprocWarning', code: 'INTERPROC_FALLBACK' });
    const { message } = warnings[0] as Error;
    for (const said of [WHY, "'socket'", 'leases, views', 'INTERPROC_BACKEND=socket']) {
      expect(message).toContain(said);
    }
  });

  it('is warned of once by threads that begin at the same time', async () => {
    choiceWithout();
    const start = new Int32Array(new SharedArrayBuffer(4));
    const dist = new URL('../../dist/', import.meta.url).href;
    const threads = Array.from(
      { length: 4 },
      () => new Worker(FALLS_BACK, { eval: true, stderr: true, workerData: { dist, start } }),
    );
    const ends = threads.map((thread) => once(thread, 'exit'));
    const said = threads.map(({ stderr }) => text(stderr));
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    Atomics.store(start, 0, 1);
    Atomics.notify(start, 0);
    expect(await Promise.all(ends)).toEqual(threads.map(() => [0]));
    const all = (await Promise.all(said)).join('');
    expect(all.match(/INTERPROC_FALLBACK/g)).toHaveLength(1);
  });

  it('stays what it was', () => {
    const { choice } = choiceWithout('native');
    expect(choice.select().kind).toBe('socket');
    process.env['INTERPROC_BACKEND'] = 'memory';
    expect(choice.select().kind).toBe('socket');
  });

  it.each(['native', 'socket', 'memory'] as const)('is %s if the environment says so', (kind) => {
    process.env['INTERPROC_BACKEND'] = kind;
    const { choice, made } = choiceWithout();
    expect(choice.select().kind).toBe(kind);
    expect(made).toEqual([kind]);
    expect(choice.chosen.reason).toBe(`INTERPROC_BACKEND=${kind} asks for it.`);
    expect(warnings).toEqual([]);
  });

  it('does not fall back from what the environment asks for', () => {
    process.env['INTERPROC_BACKEND'] = 'native';
    const { choice } = choiceWithout('native');
    expect(thrownBy(() => choice.select())).toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: WHY,
    });
  });

  it('is a mistake where the environment names no backend', () => {
    process.env['INTERPROC_BACKEND'] = 'sockets';
    const { choice, made } = choiceWithout();
    const error = thrownBy(() => choice.select()) as InterprocError;
    expect(error.code).toBe('ERR_INVALID_ARG');
    expect(error.message).toMatch(/INTERPROC_BACKEND.*'native', 'socket', 'memory'.*'sockets'/);
    expect(made).toEqual([]);
    // What is asked for by an option does not depend on it.
    expect(choice.select('memory').kind).toBe('memory');
  });

  it('is as if nothing was said where the environment says nothing', () => {
    process.env['INTERPROC_BACKEND'] = '';
    expect(choiceWithout().choice.select().kind).toBe('native');
  });

  it('is the one of an option, whatever else there is, and decides nothing', () => {
    process.env['INTERPROC_BACKEND'] = 'socket';
    const { choice, made } = choiceWithout('native');
    expect(choice.select('memory').kind).toBe('memory');
    expect(choice.select('memory')).toBe(choice.select('memory'));
    expect(made).toEqual(['memory']);
    expect(thrownBy(() => choice.select('native'))).toMatchObject({ code: 'ERR_UNSUPPORTED' });
  });

  it.each(['posix', '', 'Native', null, 0, {}])('refuses the option %j', (kind) => {
    const { choice, made } = choiceWithout();
    const error = thrownBy(() => choice.select(kind as BackendKind)) as InterprocError;
    expect(error.code).toBe('ERR_INVALID_ARG');
    expect(error.message).toMatch(/^backend takes 'native', 'socket', 'memory'; received /);
    expect(made).toEqual([]);
  });

  it('is described when somebody looks', () => {
    const { choice, made } = choiceWithout();
    const backend = describing(choice);
    expect(made).toEqual([]);
    expect(backend.kind).toBe('native');
    expect(backend.reason).toBe(choice.chosen.reason);
    expect(backend.capabilities).toBe(BROKERED_CAPABILITIES);
    expect(inspect(backend)).toContain(backend.reason);
  });
});
