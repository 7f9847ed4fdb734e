/** `interproc doctor`, as programs and people run it. */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import type { Report } from '../../src/cli/doctor.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const NO_ADDON = { INTERPROC_ADDON: '/nowhere/interproc.node' };

describe('interproc', () => {
  let around: string;
  let directory: string;

  beforeEach(() => {
    around = mkdtempSync('/dev/shm/interproc-doctor-test-');
    directory = join(around, 'objects');
  });
  afterEach(() => {
    rmSync(around, { recursive: true });
  });

  function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const { INTERPROC_BACKEND: _, ...others } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
      env: { ...others, INTERPROC_DIR: directory, ...environment },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  }

  function doctor(environment: NodeJS.ProcessEnv = {}) {
    const { status, stdout } = run(['doctor', '--json'], environment);
    return { status, report: JSON.parse(stdout) as Report };
  }

  it('doctor says that all is well, and leaves nothing behind', () => {
    const { status, report } = doctor();
    expect(status).toBe(0);
    expect(report).toMatchObject({
      isWell: true,
      addon: { file: expect.stringMatching(/interproc\.node$/) },
      backend: { kind: 'native', absent: [] },
      directory: { path: directory, exists: false },
      objects: [
        { backend: 'native', names: [] },
        { backend: 'socket', names: [], hasBroker: false },
      ],
      remarks: [],
    });
    expect(report.addon.problem).toBe(undefined);
    expect(report.selfTest?.problem).toBe(undefined);
    expect(readdirSync(around, { recursive: true })).toEqual(['objects']);
  });

  it('doctor says it in words', () => {
    const { status, stdout } = run(['doctor']);
    expect(status).toBe(0);
    expect(stdout).toContain('backend     native: The native addon loads');
    expect(stdout).toContain(`directory   ${directory}: not there yet`);
    expect(stdout).toContain('got through');
    expect(stdout).toContain('All is well.');
  });

  it('doctor says what there is instead of the addon, and why', () => {
    const { status, report } = doctor(NO_ADDON);
    expect(status).toBe(0);
    expect(report).toMatchObject({
      isWell: true,
      addon: { file: '/nowhere/interproc.node', problem: { code: 'ERR_UNSUPPORTED' } },
      backend: { kind: 'socket', reason: expect.stringContaining('does not load') },
      selfTest: { what: "a message through a queue on 'socket'" },
    });
    expect(report.selfTest?.problem).toBe(undefined);
    expect(readdirSync(around)).toEqual([]);
  });

  it.each([
    ['what was asked for does not work', { ...NO_ADDON, INTERPROC_BACKEND: 'native' }],
    ['there is no such backend', { INTERPROC_BACKEND: 'postal' }],
  ])('doctor ends with 1 if %s', (_, environment) => {
    const { status, report } = doctor(environment);
    expect(status).toBe(1);
    expect(report).toMatchObject({ isWell: false, backend: { code: expect.any(String) } });
    expect(run(['doctor'], environment).stdout).toContain('Something is wrong');
  });

  it.each(['native', 'socket'])('doctor ends with 1 if anybody may write to it: %s', (kind) => {
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    const { status, report } = doctor({ INTERPROC_BACKEND: kind });
    expect(status).toBe(1);
    expect(report.directory).toMatchObject({ mode: 0o777, problem: { code: 'ERR_PERMISSION' } });
    expect(report.directory?.problem?.message).toContain('chmod 0700');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('doctor finds what the other backend has there, and starts no broker for it', () => {
    const before = process.env['INTERPROC_DIR'];
    process.env['INTERPROC_DIR'] = directory;
    const Queue = bindQueue(() => new NativeBackend());
    const q = Queue.create('jobs');
    process.env['INTERPROC_DIR'] = before;
    const { status, report } = doctor({ INTERPROC_BACKEND: 'socket' });
    q.close();
    expect(status).toBe(0);
    expect(report.objects).toMatchObject([
      { backend: 'native', names: ['jobs'] },
      { backend: 'socket', names: [], hasBroker: false },
    ]);
    expect(report.remarks).toEqual([expect.stringContaining('INTERPROC_BACKEND=native')]);
    expect(existsSync(join(directory, '~socket'))).toBe(false);
  });

  it('has a version and help', () => {
    expect(run(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(run(['--help'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage:/) });
  });

  it.each([[[]], [['operate']], [['doctor', 'twice']], [['doctor', '--jsno']]])(
    'refuses %j',
    (args) => {
      const { status, stdout, stderr } = run(args);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toContain('Usage:');
    },
  );

  it('is in the package, with all that it runs', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    });
    const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(paths).toContain('dist/cli/main.js');
    expect(paths).toContain('dist/backends/socket/broker-process.js');
    expect(paths).toContain('native/ring/queue.cc');
    const needless = /^(?:src|test|bench|native\/(?:bench|fuzz|model|test))\//;
    expect(paths.filter((path) => needless.test(path))).toEqual([]);
  });
});
