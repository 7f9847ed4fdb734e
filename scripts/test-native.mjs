// Builds the native tests and models as one variant and runs them:
//   node scripts/test-native.mjs [none | address,undefined | thread]
// Leaves the counts in test-results/native-<variant>.json for scripts/sum-results.mjs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const VARIANTS = new Map([
  ['none', 'plain'],
  ['address,undefined', 'asan'],
  ['thread', 'tsan'],
]);

const sanitizer = process.argv[2] ?? 'none';
const variant = VARIANTS.get(sanitizer);
if (variant === undefined) {
  console.error(`unknown sanitizer '${sanitizer}': expected ${[...VARIANTS.keys()].join(' or ')}`);
  process.exit(2);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const buildDirectory = `${root}build-cmake/${variant}`;
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
// Shadow memory collides with the address randomisation of recent kernels, in clang 14 and gcc 12 alike. Containers may
// forbid the switch; then it is tried without.
const withoutAslr =
  sanitizer === 'none' || !succeeds('setarch', ['-R', 'true']) ? [] : ['setarch', '-R'];

/**
 * @param {string} command
 * @param {string[]} args
 */
function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/**
 * @param {string} command
 * @param {...string} args
 */
function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status === 0;
}

function build() {
  const defines = [`INTERPROC_SANITIZE=${sanitizer}`, 'INTERPROC_FAULTS=ON'];
  // gcc's ThreadSanitizer rejects atomic_thread_fence, and a second compiler finds what the first lets pass.
  if (sanitizer !== 'none') {
    defines.push(`CMAKE_CXX_COMPILER=${process.env['CXX'] ?? 'clang++-14'}`);
  }
  const options = ['--out', buildDirectory, '--log-level', 'warn'];
  // One word each: cmake-js drops `--CD name=value` without a sound.
  options.push(...defines.map((define) => `--CD${define}`));
  const parallel = `--parallel=${availableParallelism()}`;
  return (
    run(process.execPath, cmakeJs, 'configure', ...options) &&
    isSanitized() &&
    run(process.execPath, cmakeJs, 'build', ...options, '--target=native_tests', parallel)
  );
}

/** A suite that passes because its sanitizer went missing looks like any other. */
function isSanitized() {
  const cache = readFileSync(`${buildDirectory}/CMakeCache.txt`, 'utf8');
  if (cache.includes(`\nINTERPROC_SANITIZE:STRING=${sanitizer}\n`)) return true;
  console.error(`${buildDirectory} is not configured with INTERPROC_SANITIZE=${sanitizer}`);
  return false;
}

/**
 * A test program says how many of its cases passed. One that dies without saying counts as one failure, and so does one
 * whose exit contradicts its summary; a model or a fuzz corpus is a single case, its exit status the verdict.
 * @param {string} name
 * @param {boolean} succeeded
 * @param {string} output
 */
function countCases(name, succeeded, output) {
  if (/^(model|fuzz)\//.test(name))
    return { passed: Number(succeeded), failed: Number(!succeeded) };
  const summaries = output.matchAll(/\[doctest\] test cases: .*?(\d+) passed \|\s*(\d+) failed/g);
  const summary = [...summaries].at(-1);
  const passed = Number(summary?.[1] ?? 0);
  const failed = Number(summary?.[2] ?? 0);
  const contradicts = succeeded ? passed === 0 : failed === 0;
  return { passed, failed: failed + Number(contradicts) };
}

const resultFile = `${root}test-results/native-${variant}.json`;
const junitFile = `${buildDirectory}/ctest.xml`;
rmSync(resultFile, { force: true });
rmSync(junitFile, { force: true });
if (!build()) process.exit(1);

const [command = 'ctest', ...args] = [
  ...withoutAslr,
  'ctest',
  '--test-dir',
  buildDirectory,
  '--output-on-failure',
  '--no-tests=error',
  '--output-junit',
  junitFile,
  // A program's summary comes last, and ctest would cut long output there.
  '--test-output-size-passed',
  '100000000',
  '--test-output-size-failed',
  '100000000',
];
run(command, ...args);

const totals = { passed: 0, failed: 0 };
const testcases = /<testcase name="([^"]*)"[^>]* status="([^"]*)">(.*?)<\/testcase>/gs;
for (const [, name = '', status, body = ''] of readFileSync(junitFile, 'utf8').matchAll(
  testcases,
)) {
  const { passed, failed } = countCases(name, status === 'run', body);
  totals.passed += passed;
  totals.failed += failed;
}
mkdirSync(`${root}test-results`, { recursive: true });
writeFileSync(resultFile, `${JSON.stringify(totals)}\n`);
console.log(`native (${sanitizer}): ${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);
