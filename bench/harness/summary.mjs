// @ts-check
import { median, spreadOf } from './statistics.mjs';

/** @typedef {import('./interleaved-rounds.mjs').Outcome} Outcome */
/** @typedef {import('./scenario.mjs').Scenario} Scenario */
/** @typedef {import('./scenario.mjs').Target} Target */
/** @typedef {import('./statistics.mjs').Spread} Spread */

/**
 * @typedef {object} EntrySummary
 * @property {string} entry
 * @property {Outcome['status']} status
 * @property {string} [reason]
 * @property {Record<string, Spread>} metrics
 * @property {number | undefined} ratio to the reference
 */

/**
 * @typedef {object} Verdict
 * @property {Target} target
 * @property {number | undefined} measured
 * @property {'met' | 'missed' | 'not measured'} verdict
 */

/**
 * What is kept of a scenario.
 * @typedef {object} ScenarioSummary
 * @property {string} scenario
 * @property {number} rounds
 * @property {string} reference
 * @property {EntrySummary[]} entries
 * @property {Verdict[]} verdicts
 */

/**
 * @param {Scenario} scenario
 * @param {readonly Outcome[]} outcomes
 * @returns {ScenarioSummary}
 */
export function summarise(scenario, outcomes) {
  const figures = new Map(outcomes.map(({ entry, figures }) => [entry.label, figures]));
  const { key } = scenario.metrics[0];

  /**
   * The median of the ratios of each round, so that drift from round to round cancels out.
   * @param {string} label
   * @param {string} of
   */
  const ratioOf = (label, of) => {
    const references = figures.get(of) ?? [];
    const ratios = (figures.get(label) ?? []).flatMap((own, round) => {
      const reference = references[round]?.[key];
      return reference === undefined ? [] : [(own[key] ?? NaN) / reference];
    });
    return ratios.length > 0 ? median(ratios) : undefined;
  };
  /** @param {string} label */
  const medianOf = (label) => {
    const values = (figures.get(label) ?? []).map((own) => own[key] ?? NaN);
    return values.length > 0 ? median(values) : undefined;
  };

  return {
    scenario: scenario.name,
    rounds: Math.max(0, ...outcomes.map((outcome) => outcome.figures.length)),
    reference: scenario.reference,
    entries: outcomes.map(({ entry, status, reason, figures: rounds }) => ({
      entry: entry.label,
      status,
      ...(reason ? { reason } : {}),
      metrics: metricsOf(rounds),
      ratio: ratioOf(entry.label, scenario.reference),
    })),
    verdicts: scenario.targets.map((target) => {
      const measured = target.of ? ratioOf(target.entry, target.of) : medianOf(target.entry);
      return { target, measured, verdict: verdictOn(target, measured) };
    }),
  };
}

/**
 * @param {Target} target
 * @param {number | undefined} measured
 */
function verdictOn({ atLeast = -Infinity, atMost = Infinity }, measured) {
  if (measured === undefined) return 'not measured';
  return measured >= atLeast && measured <= atMost ? 'met' : 'missed';
}

/** @param {readonly Record<string, number>[]} rounds */
function metricsOf(rounds) {
  const keys = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    keys.map((key) => [key, spreadOf(rounds.map((round) => round[key] ?? NaN))]),
  );
}
