// @ts-check
/** The figures that several scenarios show. */

import { formatMessageRate, formatMicroseconds } from './format.mjs';

/** @typedef {import('./scenario.mjs').Metric} Metric */

/** @type {readonly [Metric]} */
export const MESSAGES = [
  { key: 'messagesPerSecond', heading: 'messages', format: formatMessageRate },
];

/** @type {readonly [Metric, Metric, Metric]} */
export const REPETITIONS = [
  { key: 'p50Us', heading: 'p50', format: formatMicroseconds },
  { key: 'p99Us', heading: 'p99', format: formatMicroseconds },
  { key: 'meanUs', heading: 'mean', format: formatMicroseconds },
];
