// @ts-check
import { childProcessPatterns } from '../harness/child-process-sides.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'child-process-advanced',
  what: "child_process messages with serialization 'advanced' (v8), the bytes as a Uint8Array",
  patterns: childProcessPatterns({
    serialization: 'advanced',
    pack: (bytes) => bytes,
    unpack: (packed) => /** @type {Uint8Array} */ (packed),
  }),
};
