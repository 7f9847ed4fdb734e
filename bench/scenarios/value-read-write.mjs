// @ts-check
import { formatNanoseconds } from '../harness/format.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'value-read-write',
  title: 'one number read, and stored with 1 more',
  pattern: 'readWrite',
  parameters: { bytes: 4, producers: 1, consumers: 1, capacityBytes: 0, type: 'int32' },
  reference: 'typed-array int32',
  entries: [
    { label: 'typed-array int32', contender: 'typed-array' },
    { label: 'value int32', contender: 'value' },
    { label: 'typed-array float64', contender: 'typed-array', parameters: { type: 'float64' } },
    { label: 'value float64', contender: 'value', parameters: { type: 'float64' } },
  ],
  metrics: [{ key: 'nanosecondsEach', heading: 'each', format: formatNanoseconds }],
  targets: [
    { entry: 'value int32', of: 'typed-array int32', atMost: 3 },
    { entry: 'value float64', of: 'typed-array float64', atMost: 3 },
  ],
};
