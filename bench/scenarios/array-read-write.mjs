// @ts-check
import { formatNanoseconds } from '../harness/format.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'array-read-write',
  title: 'each element of an array of 1,000 read, and stored with 1 more',
  pattern: 'readWriteElements',
  parameters: { bytes: 4, producers: 1, consumers: 1, capacityBytes: 0, type: 'int32' },
  reference: 'typed-array int32',
  entries: [
    { label: 'typed-array int32', contender: 'typed-array' },
    { label: 'shared-array int32', contender: 'shared-array' },
    { label: 'typed-array float64', contender: 'typed-array', parameters: { type: 'float64' } },
    { label: 'shared-array float64', contender: 'shared-array', parameters: { type: 'float64' } },
  ],
  metrics: [{ key: 'nanosecondsEach', heading: 'each', format: formatNanoseconds }],
  targets: [
    { entry: 'shared-array int32', of: 'typed-array int32', atMost: 1.2 },
    { entry: 'shared-array float64', of: 'typed-array float64', atMost: 1.2 },
  ],
};
