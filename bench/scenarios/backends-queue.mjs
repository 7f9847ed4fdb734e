// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-queue',
  title: '64 bytes, one way over a queue, by both backends and without this package',
  pattern: 'oneWay',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'child-process-json',
  entries: [
    { label: 'native putSync getSync', contender: 'queue-get-sync' },
    {
      label: 'socket putSync getSync',
      contender: 'queue-get-sync',
      parameters: { backend: 'socket' },
    },
    { label: 'native put get', contender: 'queue-await' },
    { label: 'socket put get', contender: 'queue-await', parameters: { backend: 'socket' } },
    { label: 'native putMany getMany', contender: 'queue-many' },
    {
      label: 'socket putMany getMany',
      contender: 'queue-many',
      parameters: { backend: 'socket' },
    },
    { label: 'unix-socket-framed', contender: 'unix-socket-framed' },
    { label: 'child-process-json', contender: 'child-process-json' },
    { label: 'child-process-advanced', contender: 'child-process-advanced' },
  ],
  metrics: MESSAGES,
  targets: [
    { entry: 'native putSync getSync', of: 'socket putSync getSync', atLeast: 5 },
    { entry: 'socket putSync getSync', of: 'unix-socket-framed', atLeast: 0.7 },
    { entry: 'socket put get', of: 'unix-socket-framed', atLeast: 0.7 },
  ],
  maxRounds: 3,
};
