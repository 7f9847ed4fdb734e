// @ts-check
import { askedParent } from '../harness/asked-parent.mjs';
import { timeAwaitedBatches } from '../harness/call-batches.mjs';
import { countingCaller, sumOf } from '../harness/counting.mjs';
import { ELEMENTS } from '../harness/loop-sides.mjs';

/** @typedef {import('../harness/asked-parent.mjs').Parent} Parent */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/** @returns {import('../harness/asked-parent.mjs').Keep} */
function keepNumber() {
  let number = 0;
  return ({ op, value }, answer) => {
    if (op === 'get') answer(number);
    else if (op === 'set') number = Number(value);
    else if (op === 'add') {
      answer(number);
      number += Number(value);
    }
  };
}

/** @returns {import('../harness/asked-parent.mjs').Keep} */
function keepArray() {
  /** @type {number[]} */
  let numbers = Array.from({ length: ELEMENTS }, () => 0);
  return ({ op, index, value, values }, answer) => {
    if (op === 'get') answer(numbers[Number(index)] ?? NaN);
    else if (op === 'set') numbers[Number(index)] = Number(value);
    else if (op === 'getAll') answer(numbers);
    else if (op === 'setAll') numbers = /** @type {number[]} */ (values);
  };
}

/**
 * A child that counts up something of its parent's, with `addOne`.
 * @param {(parent: Parent) => { addOne: () => Promise<unknown>, read: () => Promise<number> }} createCalls
 * @returns {(parent: Parent, context: SideContext) => import('../harness/contender.mjs').Side}
 */
function caller(createCalls) {
  return (parent, { parameters }) => {
    const { addOne, read } = createCalls(parent);
    return countingCaller({
      time: (count) => timeAwaitedBatches(count, addOne, parameters.callsPerSample),
      read,
      close: () => process.disconnect(),
    });
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'child-process-state',
  what: "a number, or an array, that a parent keeps and its child asks for over child_process messages, serialization 'json'",
  patterns: {
    accessValue: askedParent(keepNumber, {
      caller: caller(({ ask, tell }) => ({
        addOne: async () => tell({ op: 'set', value: (await ask({ op: 'get' })) + 1 }),
        read: () => ask({ op: 'get' }),
      })),
    }),
    addToValue: askedParent(keepNumber, {
      caller: caller(({ ask }) => ({
        addOne: () => ask({ op: 'add', value: 1 }),
        read: () => ask({ op: 'get' }),
      })),
    }),
    accessElements: askedParent(keepArray, {
      caller: caller(({ ask, tell }) => {
        let turn = 0;
        return {
          async addOne() {
            const index = turn;
            turn = (turn + 1) % ELEMENTS;
            tell({ op: 'set', index, value: (await ask({ op: 'get', index })) + 1 });
          },
          read: async () => sumOf(await ask({ op: 'getAll' })),
        };
      }),
    }),
    copyArray: askedParent(keepArray, {
      caller: caller(({ ask, tell }) => ({
        async addOne() {
          const values = await ask({ op: 'getAll' });
          values[ELEMENTS - 1] += 1;
          tell({ op: 'setAll', values });
        },
        read: async () => sumOf(await ask({ op: 'getAll' })),
      })),
    }),
  },
};
