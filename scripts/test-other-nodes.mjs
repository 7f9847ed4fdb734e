// Runs the tests of lives and deaths, and those of the public interface, under other Nodes than the one at hand, with the addon
// as it was built (it is Node-API), and closes with `N passed, N failed`. The Nodes come from npm, once, into a folder under
// node_modules.
//   node scripts/test-other-nodes.mjs [22 24 26]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = `${root}node_modules/.cache/nodes`;
const vitest = createRequire(import.meta.url)
  .resolve('vitest/package.json')
  .replace(/package\.json$/, 'vitest.mjs');

// The fault points, the soak and the counting of resources are matters of the addon, which is the same one everywhere.
const TESTS = [
  'meeting',
  'nine-exits',
  'worker-termination',
  'keeping-alive',
  'last-one-out',
  'killed',
  'idle',
];

/** @param {string} version */
function install(version) {
  mkdirSync(cache, { recursive: true });
  const name = `node${version}`;
  const { status, error } = spawnSync(
    'npm',
    [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefix',
      cache,
      `${name}@npm:node-${process.platform}-${process.arch}@${version}`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (error) throw error;
  return status === 0 ? `${cache}/node_modules/${name}/bin/node` : undefined;
}

/**
 * Vitest itself runs under this Node too, and starts the programs with it.
 * @param {string} node
 * @param {string} version
 */
function run(node, version) {
  const results = `${root}test-results/node${version}.json`;
  rmSync(results, { force: true });
  const args = ['run', `--outputFile.json=${results}`];
  for (const name of TESTS) args.push(`test/lifecycle/${name}`);
  // A queue's streams rest on what Node's own streams do.
  args.push('test/conformance/native');
  const { status, signal } = spawnSync(node, [vitest, ...args], { cwd: root, stdio: 'inherit' });
  if (!existsSync(results)) {
    console.error(`vitest ended with ${status ?? signal} and left no counts`);
    return { passed: 0, failed: 1 };
  }
  const counts = JSON.parse(readFileSync(results, 'utf8'));
  const passed = Number(counts.numPassedTests);
  const failed = Number(counts.numFailedTests);
  // A run that fails without a failed test has failed all the same.
  return { passed, failed: status === 0 || failed > 0 ? failed : 1 };
}

const totals = { passed: 0, failed: 0 };
for (const version of versions) {
  const node = install(version);
  const counts = node === undefined ? { passed: 0, failed: 1 } : run(node, version);
  const what = node === undefined ? 'not to be had from npm' : `${counts.passed} passed`;
  console.log(`Node ${version}: ${what}, ${counts.failed} failed`);
  totals.passed += counts.passed;
  totals.failed += counts.failed;
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);
