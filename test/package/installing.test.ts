/** The package as npm packs it, and its install script: with a compiler and without. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILD_WATCHDOG_MS = 900_000;
const SAY_BACKEND = "console.log((await import('interproc')).backend.kind)";

let project: string;
let installed: string;
/** Nothing but these is found where nothing can be compiled. */
let tools: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'interproc-package-'));
  installed = join(project, 'node_modules', 'interproc');
  mkdirSync(installed, { recursive: true });
  const packing = ['pack', '--ignore-scripts', '--silent', '--pack-destination', project];
  const tarball = execFileSync('npm', packing, { cwd: ROOT, encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', join(project, tarball), '--strip-components=1', '-C', installed]);
  for (const name of Object.keys(manifest().dependencies)) {
    symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
  }
  tools = join(project, 'tools');
  mkdirSync(tools);
  symlinkSync(process.execPath, join(tools, 'node'));
  // As npm brings it along.
  symlinkSync(join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js'), join(tools, 'node-gyp'));
});

afterAll(() => {
  rmSync(project, { recursive: true });
});

function manifest() {
  return JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
    readonly dependencies: Readonly<Record<string, string>>;
  };
}

function install(environment: NodeJS.ProcessEnv) {
  const { install: command } = manifest().scripts;
  // Without one of its own npm would run node-gyp, and take its failure for that of installing.
  if (command === undefined) throw new Error('the package has no install script');
  const { INTERPROC_REQUIRE_ADDON: _, ...others } = process.env;
  const env = { ...others, ...environment };
  return spawnSync('/bin/sh', ['-c', command], { cwd: installed, env, encoding: 'utf8' });
}

function backendThere(): string {
  const { INTERPROC_BACKEND: _, INTERPROC_ADDON: __, ...env } = process.env;
  const args = ['--no-warnings', '--input-type=module', '-e', SAY_BACKEND];
  return execFileSync(process.execPath, args, { cwd: project, env, encoding: 'utf8' }).trim();
}

it('is installed where nothing can be compiled, and works there', () => {
  const { status, stderr } = install({ PATH: tools });
  expect(stderr).toContain("The backend 'socket', which is plain JavaScript, is used instead");
  expect(status).toBe(0);
  expect(backendThere()).toBe('socket');
});

it('is not installed there if the addon is required', () => {
  const { status, stderr } = install({ PATH: tools, INTERPROC_REQUIRE_ADDON: '1' });
  expect(stderr).toContain('could not be built');
  expect(status).toBe(1);
});

it(
  'has the addon where it can be compiled',
  () => {
    // Headers that lie beside Node need not be fetched.
    const prefix = dirname(dirname(process.execPath));
    const hasHeaders = existsSync(join(prefix, 'include/node/uv.h'));
    const { status, stderr } = install({
      PATH: `${tools}:${process.env['PATH']}`,
      INTERPROC_REQUIRE_ADDON: '1',
      ...(hasHeaders && { npm_config_nodedir: prefix }),
    });
    expect(status, stderr).toBe(0);
    expect(backendThere()).toBe('native');
  },
  BUILD_WATCHDOG_MS,
);
