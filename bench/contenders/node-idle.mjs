// @ts-check
import { sleeper } from '../harness/idle-side.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'node-idle',
  what: 'a Node process that waits for a timer and nothing else',
  patterns: {
    idle: {
      launch: ['sleeper'],
      roles: { sleeper: () => sleeper(() => true) },
    },
  },
};
