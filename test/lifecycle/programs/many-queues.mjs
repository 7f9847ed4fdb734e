// @ts-check
/** The many queues that two programs share: as small as they can be. */

/** @typedef {import('../../../dist/index.js').Queue<number>} Numbers */

/**
 * @param {number} count
 * @param {(name: string, options: import('../../../dist/index.js').QueueOptions & { codec: 'json' }) => Numbers} open
 */
export function manyQueues(count, open) {
  return Array.from({ length: count }, (_, index) =>
    open(`many-${index}`, { capacityBytes: 4096, maxParticipants: 2, codec: 'json' }),
  );
}
