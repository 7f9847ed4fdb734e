/** The rings under the queue, for bytes: `interproc/ring`. */
export { MpmcRing, SpscRing } from './context.js';
export { EOFError, InterprocError, TimeoutError } from './errors.js';
export type { RingRole } from './contract/byte-ring.js';
export type { RingOptions, SpscRingOptions } from './primitives/bind-rings.js';
export type { RingWait } from './primitives/rings.js';
