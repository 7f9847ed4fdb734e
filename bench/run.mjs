// @ts-check
/**
 * Measures this project against its peers and against the machine: `node bench/run.mjs --help`.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { CHECKOUT } from './harness/checkout.mjs';
import { chooseCorePair } from './harness/cores.mjs';
import { runInterleaved } from './harness/interleaved-rounds.mjs';
import { describeMachine, machineFacts } from './harness/machine.mjs';
import { formatProfiles } from './harness/profiles.mjs';
import { formatScenario } from './harness/scenario-table.mjs';
import { loadScenario, SCENARIO_NAMES } from './harness/scenario.mjs';
import { summarise } from './harness/summary.mjs';

const HELP = `usage: node bench/run.mjs [options]
  --scenario NAMES    only these, comma-separated, with 'backends-*' for all that begin so: ${SCENARIO_NAMES.join(', ')}
  --contender NAMES   only these, in the same way: the names in the first column
  --rounds N          how often each cell is measured (5)
  --quick             one short round, to see that everything runs; the figures say little
  --json FILE         where the summary goes (bench/results/latest.local.json)
  --profile DIR       each process of Node writes a CPU profile there, the last round's, and its hottest functions are
                      printed; the figures are worth nothing then
  --native-dir DIR    where the programs of native/bench are (build-cmake/release)
  --help`;

const { values: options } = parseOptions();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => interruption.abort(`interrupted by ${signal}`));
}
try {
  if (options.help) console.log(HELP);
  else await main();
} catch (error) {
  if (!interruption.signal.aborted) throw error;
  console.error(`\n${interruption.signal.reason}`);
  process.exitCode = 130;
}

function parseOptions() {
  try {
    return parseArgs({
      options: {
        scenario: { type: 'string', multiple: true },
        contender: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        profile: { type: 'string' },
        'native-dir': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} problem
 * @returns {never}
 */
function refuse(problem) {
  console.error(`${problem}\n${HELP}`);
  process.exit(2);
}

/**
 * What an option names: its values are lists, and a name that ends in a star is all that begin like it.
 * @param {'scenario' | 'contender'} option
 * @param {readonly string[]} known
 */
function namesOf(option, known) {
  const names = options[option]?.flatMap((list) => list.split(','));
  return names?.flatMap((name) => {
    const found = known.filter((each) =>
      name.endsWith('*') ? each.startsWith(name.slice(0, -1)) : each === name,
    );
    if (found.length === 0) refuse(`--${option} ${name}: there is none to be run`);
    return found;
  });
}

async function main() {
  const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds ${options.rounds}: not a count`);
  const scenarioNames = namesOf('scenario', SCENARIO_NAMES) ?? SCENARIO_NAMES;
  const scenarios = await Promise.all(scenarioNames.map(loadScenario));
  const known = scenarios.flatMap(({ entries }) =>
    entries.flatMap(({ label, contender }) => [label, contender]),
  );
  const wanted = namesOf('contender', [...new Set(known)]);

  const machine = await machineFacts();
  console.log(describeMachine(machine));
  const cores = chooseCorePair();
  console.log(
    typeof cores === 'string'
      ? `Not pinned: ${cores}. Expect figures that jump.`
      : `Senders on processor ${cores.first}, receivers on processor ${cores.second}.`,
  );

  const summaries = [];
  for (const scenario of scenarios) {
    const entries = scenario.entries.filter(
      ({ label, contender }) => !wanted || wanted.includes(label) || wanted.includes(contender),
    );
    if (entries.length === 0) continue;
    const outcomes = await runInterleaved(scenario, entries, {
      rounds,
      effort: options.quick ? { seconds: 0.2, idleSeconds: 1 } : { seconds: 1.5, idleSeconds: 5 },
      watchdogMs: 60_000,
      cores: typeof cores === 'string' ? undefined : cores,
      profiles: options.profile === undefined ? undefined : resolve(options.profile),
      nativeDirectories: options['native-dir']
        ? [options['native-dir']]
        : [join(CHECKOUT, 'build-cmake/release')],
      signal: interruption.signal,
      onProgress: showProgress,
    });
    showProgress('');
    const summary = summarise(scenario, outcomes);
    summaries.push(summary);
    console.log(`\n${formatScenario(scenario, summary)}`);
    if (outcomes.some((outcome) => outcome.status === 'failed')) process.exitCode = 1;
  }

  if (options.profile !== undefined) console.log(`\n${formatProfiles(options.profile)}`);
  const file = options.json ?? join(CHECKOUT, 'bench/results/latest.local.json');
  mkdirSync(dirname(file), { recursive: true });
  const result = { machine, pinned: typeof cores !== 'string', quick: options.quick, summaries };
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
}

/**
 * One line that replaces itself, for people only.
 * @param {string} message
 */
function showProgress(message) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${message}`);
}
