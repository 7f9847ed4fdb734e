// @ts-check
import { withCell } from './cell.mjs';
import { withoutCheckout } from './checkout.mjs';
import { loadContender, Unavailable } from './contender.mjs';
import { PATTERNS } from './patterns.mjs';

/** @typedef {import('./contender.mjs').Contender} Contender */
/** @typedef {import('./scenario.mjs').Entry} Entry */
/** @typedef {import('./scenario.mjs').Scenario} Scenario */

/**
 * What became of an entry. Only a measured one has figures; a failed one has none, whatever its earlier rounds gave.
 * @typedef {object} Outcome
 * @property {Entry} entry
 * @property {'measured' | 'skipped' | 'failed'} status
 * @property {string} reason why not measured
 * @property {Record<string, number>[]} figures one per round
 */

/**
 * @typedef {object} RunSettings
 * @property {number} rounds
 * @property {import('./patterns.mjs').Effort} effort
 * @property {number} watchdogMs
 * @property {import('./cores.mjs').CorePair | undefined} cores
 * @property {string | undefined} profiles the directory for profiles, if they are wanted
 * @property {readonly string[]} nativeDirectories
 * @property {AbortSignal} signal
 * @property {(message: string) => void} onProgress
 */

/**
 * Runs every entry once per round, so that a machine that gets slower gets slower for all of them. Every other round goes
 * backwards: nobody always comes after the same one.
 * @param {Scenario} scenario
 * @param {readonly Entry[]} entries
 * @param {RunSettings} settings
 */
export async function runInterleaved(scenario, entries, settings) {
  const contenders = new Map(
    await Promise.all(
      entries.map(async (entry) => /** @type {const} */ ([entry, await tryToLoad(entry)])),
    ),
  );
  const outcomes = entries.map((entry) => {
    const loaded = contenders.get(entry);
    return loaded instanceof Unavailable
      ? outcomeOf(entry, 'skipped', loaded.message)
      : outcomeOf(entry, 'measured', '');
  });

  const rounds = Math.min(settings.rounds, scenario.maxRounds ?? Infinity);
  for (let round = 0; round < rounds; round += 1) {
    for (const outcome of round % 2 === 0 ? outcomes : outcomes.toReversed()) {
      const contender = contenders.get(outcome.entry);
      if (outcome.status !== 'measured' || !contender || contender instanceof Unavailable) continue;
      settings.onProgress(`round ${round + 1} of ${rounds}: ${outcome.entry.label}`);
      await measureOnce(scenario, contender, outcome, settings);
    }
  }
  return outcomes;
}

/**
 * @param {Scenario} scenario
 * @param {Contender} contender
 * @param {Outcome} outcome
 * @param {RunSettings} settings
 */
async function measureOnce(scenario, contender, outcome, settings) {
  const { cores, profiles, nativeDirectories, effort, watchdogMs, signal } = settings;
  const parameters = { ...scenario.parameters, ...outcome.entry.parameters };
  const { pattern } = scenario;
  try {
    const figures = await withCell(
      { contender, pattern, parameters, cores, profiles, nativeDirectories },
      { watchdogMs, signal },
      (cell) => PATTERNS[pattern](cell, parameters, effort),
    );
    outcome.figures.push(figures);
  } catch (error) {
    signal.throwIfAborted();
    outcome.status = error instanceof Unavailable ? 'skipped' : 'failed';
    outcome.reason = withoutCheckout(error instanceof Error ? error.message : String(error));
    outcome.figures = [];
  }
}

/** @param {Entry} entry */
async function tryToLoad(entry) {
  try {
    return await loadContender(entry.contender);
  } catch (error) {
    if (error instanceof Unavailable) return error;
    throw error;
  }
}

/**
 * @param {Entry} entry
 * @param {Outcome['status']} status
 * @param {string} reason
 * @returns {Outcome}
 */
function outcomeOf(entry, status, reason) {
  return { entry, status, reason, figures: [] };
}
