/** A file system of a few pages, in which a broker finds no room for the files of its states. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { WATCHDOG_MS } from './program.js';

const PROGRAM = fileURLToPath(new URL('programs/full-directory.mjs', import.meta.url));

/** For that command alone, which needs the right to mount. */
function onSmallFileSystem(directory: string, command: readonly string[]) {
  const asRoot = process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const script = 'mount -t tmpfs -o size=64k,mode=700 none "$0" && exec "$@"';
  return spawnSync('unshare', [...asRoot, '--mount', 'sh', '-c', script, directory, ...command], {
    encoding: 'utf8',
    timeout: WATCHDOG_MS,
    env: { ...process.env, INTERPROC_DIR: directory },
  });
}

function mayMount(): boolean {
  const directory = mkdtempSync('/dev/shm/interproc-full-');
  try {
    return onSmallFileSystem(directory, ['true']).status === 0;
  } finally {
    rmdirSync(directory);
  }
}

it.runIf(mayMount())('an array whose file finds no room is shared without one', () => {
  const directory = mkdtempSync('/dev/shm/interproc-full-');
  const { stdout, stderr } = onSmallFileSystem(directory, [process.execPath, PROGRAM]);
  rmdirSync(directory);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ filesBefore: 1, filesOfLarge: 0, small: 8, sum: 1225 });
});
