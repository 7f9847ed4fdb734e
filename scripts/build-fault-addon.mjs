// Builds the addon once more, with the named fault points compiled in, and prints where it is:
//   node scripts/build-fault-addon.mjs
// INTERPROC_ADDON=<that path> makes a program use it, INTERPROC_FAULT="kill:N" or "stop:N" then ends or stops it at the Nth point.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');

const { status, error } = spawnSync(
  process.execPath,
  [
    cmakeJs,
    'build',
    '--out',
    `${root}build-cmake/faults`,
    '--log-level',
    'warn',
    '--CDINTERPROC_FAULTS=ON',
    '--CDINTERPROC_TESTS=OFF',
    '--target=interproc',
    `--parallel=${availableParallelism()}`,
  ],
  // What the compiler says goes to stderr: stdout is for the path.
  { cwd: root, stdio: ['ignore', 2, 2] },
);
if (error) throw error;
if (status !== 0) process.exit(1);
console.log(`${root}build-cmake/faults/Release/interproc.node`);
