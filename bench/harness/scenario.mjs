// @ts-check
/**
 * A scenario is what is measured, in bench/scenarios/<name>.mjs, default export: the same for all contenders.
 */

/** @typedef {import('./contender.mjs').CellParameters} CellParameters */
/** @typedef {import('./contender.mjs').PatternName} PatternName */

/**
 * A figure of merit. The first one of a scenario is what ratios and targets are about.
 * @typedef {object} Metric
 * @property {string} key among what the pattern measures
 * @property {string} heading
 * @property {(value: number) => string} format
 */

/**
 * What has to be reached: a ratio to another entry, or, without `of`, a figure.
 * @typedef {object} Target
 * @property {string} entry
 * @property {string} [of]
 * @property {number} [atLeast]
 * @property {number} [atMost]
 */

/**
 * @typedef {object} Entry
 * @property {string} label unique in the scenario
 * @property {string} contender
 * @property {Partial<CellParameters>} [parameters] where it differs from the scenario
 */

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title
 * @property {PatternName} pattern
 * @property {CellParameters} parameters
 * @property {string} reference the label of the entry that ratios are to
 * @property {readonly Entry[]} entries
 * @property {readonly [Metric, ...Metric[]]} metrics
 * @property {readonly Target[]} targets
 * @property {number} [maxRounds] where more would tell nothing
 */

export const SCENARIO_NAMES = Object.freeze([
  'raw-64B-1x1',
  'raw-64B-4x4',
  'raw-1MiB-1x1',
  'raw-1MiB-leases',
  'object-100B-1x1',
  'object-5KiB-1x1',
  'string-64B-1x1',
  'raw-any-size',
  'round-trip-64B',
  'open-existing',
  'idle',
  'many-queues',
  'many-queues-idle',
  'value-read-write',
  'value-add',
  'array-read-write',
  'lock-uncontended',
  'event-round-trip',
  'pipe-64B',
  'pipe-round-trip-64B',
  'pipe-1MiB',
  'many-connections-idle',
  'backends-queue',
  'backends-queue-object',
  'backends-queue-round-trip',
  'backends-pipe',
  'backends-pipe-round-trip',
  'backends-value',
  'backends-value-add',
  'backends-array',
  'backends-array-copy',
  'backends-lock',
  'backends-lock-contended',
  'backends-event',
]);

/**
 * @param {string} name one of SCENARIO_NAMES
 * @returns {Promise<Scenario>}
 */
export async function loadScenario(name) {
  const module = await import(new URL(`../scenarios/${name}.mjs`, import.meta.url).href);
  return module.default;
}

/**
 * The entries of contenders that appear once each, under their own names.
 * @param {...string} contenders
 * @returns {Entry[]}
 */
export function entriesOf(...contenders) {
  return contenders.map((contender) => ({ label: contender, contender }));
}

/**
 * The two entries of one contender of this package: by shared memory, and in pure JavaScript through a broker.
 * @param {string} contender
 * @param {string} [calls] what tells it from other contenders of the scenario
 * @param {Entry['parameters']} [overSocket] what differs besides
 * @returns {Entry[]}
 */
export function onBothBackends(contender, calls = '', overSocket = {}) {
  return [
    { label: `native ${calls}`.trim(), contender },
    {
      label: `socket ${calls}`.trim(),
      contender,
      parameters: { backend: 'socket', ...overSocket },
    },
  ];
}
