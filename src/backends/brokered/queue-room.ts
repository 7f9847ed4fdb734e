/** What a message takes of a queue's capacity: whole blocks, as in the backend that has shared memory. */

export const BLOCK_BYTES = 64;

/** Whether a message of that length stands beside the others, and takes hardly any of their room. */
export function isBeside(length: number, capacityBytes: number): boolean {
  return length > capacityBytes;
}

export function roomFor(length: number, capacityBytes: number): number {
  if (length <= BLOCK_BYTES || isBeside(length, capacityBytes)) return BLOCK_BYTES;
  return Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
}
