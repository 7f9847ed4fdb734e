// @ts-check
import { askedParent } from '../harness/asked-parent.mjs';
import { timeAwaitedBatches } from '../harness/call-batches.mjs';
import { contendAwaiting } from '../harness/contention.mjs';

/** @typedef {import('../harness/asked-parent.mjs').Parent} Parent */
/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/** @returns {import('../harness/asked-parent.mjs').Keep} */
function keepLock() {
  let isLocked = false;
  /** @type {(() => void)[]} */
  const waiting = [];
  return ({ op }, answer) => {
    if (op === 'release') {
      const next = waiting.shift();
      isLocked = next !== undefined;
      next?.();
    } else if (isLocked) waiting.push(() => answer('granted'));
    else {
      isLocked = true;
      answer('granted');
    }
  };
}

/** @param {Parent} parent */
function acquirer({ ask, tell }) {
  const guard = { release: () => tell({ op: 'release' }) };
  return async () => {
    await ask({ op: 'acquire' });
    return guard;
  };
}

/**
 * @param {Parent} parent
 * @param {SideContext} context
 * @returns {Side}
 */
function alone(parent, { parameters }) {
  const acquire = acquirer(parent);
  return {
    run: (count) =>
      timeAwaitedBatches(count, async () => (await acquire()).release(), parameters.callsPerSample),
    close: () => process.disconnect(),
  };
}

/**
 * @param {Parent} parent
 * @param {SideContext} context
 */
function oneOfTwo(parent, context) {
  return contendAwaiting(context, acquirer(parent), () => process.disconnect());
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'child-process-lock',
  what: "a lock that a parent keeps and its children ask for over child_process messages, serialization 'json'",
  patterns: {
    calls: askedParent(keepLock, { caller: alone }),
    contend: askedParent(keepLock, { caller: oneOfTwo, rival: oneOfTwo }),
  },
};
