// @ts-check
import { formatRatio } from './format.mjs';
import { formatTable } from './table.mjs';

/** @typedef {import('./scenario.mjs').Scenario} Scenario */
/** @typedef {import('./summary.mjs').EntrySummary} EntrySummary */
/** @typedef {import('./summary.mjs').ScenarioSummary} ScenarioSummary */
/** @typedef {import('./summary.mjs').Verdict} Verdict */

/**
 * What a reader sees of a scenario. A second target of an entry stands on a line of its own.
 * @param {Scenario} scenario
 * @param {ScenarioSummary} summary
 */
export function formatScenario(scenario, summary) {
  const [primary, ...others] = scenario.metrics;
  const headings = [
    'contender',
    primary.heading,
    'min .. max',
    ...others.map((metric) => metric.heading),
    `to ${scenario.reference}`,
    'target',
  ];
  const measured = summary.entries.filter((entry) => entry.status === 'measured');
  const rows = measured.flatMap((entry) => {
    const [firstTarget = '', ...otherTargets] = summary.verdicts
      .filter(({ target }) => target.entry === entry.entry)
      .map((verdict) => formatVerdict(verdict, scenario));
    const spread = entry.metrics[primary.key];
    return [
      [
        entry.entry,
        spread ? primary.format(spread.median) : '',
        spread ? `${primary.format(spread.min)} .. ${primary.format(spread.max)}` : '',
        ...others.map(({ key, format }) => format(entry.metrics[key]?.median ?? NaN)),
        entry.ratio === undefined ? '-' : formatRatio(entry.ratio),
        firstTarget,
      ],
      ...otherTargets.map((text) => [...headings.slice(1).map(() => ''), text]),
    ];
  });
  /** @type {Map<string, string[]>} entries that are missing for the same reason */
  const missing = new Map();
  for (const { entry, status, reason } of summary.entries) {
    if (status === 'measured') continue;
    const why = `${status}: ${reason}`;
    missing.set(why, [...(missing.get(why) ?? []), entry]);
  }
  const rounds = `${summary.rounds} round${summary.rounds === 1 ? '' : 's'}`;
  return [
    `${scenario.name}: ${scenario.title} (${rounds})`,
    ...(rows.length > 0 ? [formatTable(headings, rows)] : []),
    ...[...missing].map(([why, entries]) => `  ${entries.join(', ')} ${why}`),
  ].join('\n');
}

/**
 * @param {Verdict} verdict
 * @param {Scenario} scenario
 */
function formatVerdict({ target, measured, verdict }, scenario) {
  const format = target.of ? formatRatio : scenario.metrics[0].format;
  const bound = target.atLeast === undefined ? '<=' : '>=';
  const limit = format(target.atLeast ?? target.atMost ?? NaN);
  const of = target.of ? ` of ${target.of}` : '';
  const found = measured === undefined ? '' : `${format(measured)}, `;
  return `${bound} ${limit}${of}: ${found}${verdict}`;
}
