// @ts-check
import { formatNanoseconds } from '../harness/format.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'value-add',
  title: 'an atomic addition of 1, while nobody waits for it',
  pattern: 'atomicAdd',
  parameters: { bytes: 4, producers: 1, consumers: 1, capacityBytes: 0, type: 'int32' },
  reference: 'shared-array-buffer int32',
  entries: [
    { label: 'shared-array-buffer int32', contender: 'shared-array-buffer' },
    { label: 'value int32', contender: 'value' },
    {
      label: 'shared-array-buffer int64',
      contender: 'shared-array-buffer',
      parameters: { type: 'int64' },
    },
    { label: 'value int64', contender: 'value', parameters: { type: 'int64' } },
    { label: 'value float64', contender: 'value', parameters: { type: 'float64' } },
  ],
  metrics: [{ key: 'nanosecondsEach', heading: 'each', format: formatNanoseconds }],
  targets: [{ entry: 'value int32', of: 'shared-array-buffer int32', atMost: 2 }],
};
