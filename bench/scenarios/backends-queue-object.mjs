// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-queue-object',
  title:
    'an object of about 100 bytes, one way over a queue, by both backends and without this package',
  pattern: 'oneWayValues',
  parameters: { bytes: 120, value: 'record', producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'child-process-json',
  entries: [
    { label: 'native putSync getSync', contender: 'queue-values' },
    {
      label: 'socket putSync getSync',
      contender: 'queue-values',
      parameters: { backend: 'socket' },
    },
    { label: 'native put for await', contender: 'queue-values-await' },
    {
      label: 'socket put for await',
      contender: 'queue-values-await',
      parameters: { backend: 'socket' },
    },
    { label: 'child-process-json', contender: 'child-process-json' },
    { label: 'child-process-advanced', contender: 'child-process-advanced' },
  ],
  metrics: MESSAGES,
  targets: [
    { entry: 'socket putSync getSync', of: 'child-process-json', atLeast: 1.2 },
    { entry: 'socket put for await', of: 'child-process-json', atLeast: 1.2 },
  ],
  maxRounds: 3,
};
