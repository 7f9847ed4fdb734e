/**
 * The time as the system has it. Tests of other people stop the clock of their process and run its timers by hand; what one process
 * promises to another goes by the time that both have.
 */

const { setImmediate, setTimeout } = globalThis;

export const ownTime = {
  /** In milliseconds. */
  now: performance.now.bind(performance),
  setImmediate,
  setTimeout,
};
