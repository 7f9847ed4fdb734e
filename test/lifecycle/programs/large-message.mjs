// @ts-check
/** Messages of all sizes, most of them larger than their queue, of which every byte can be checked: { producer, number, pattern }. */

const SIZES = [12, 3_000, 4_097, 20_000, 100_000, 300_000, 2_000_000];
const HEADER_BYTES = 8;

/**
 * @param {number} producer
 * @param {number} number
 */
export function makeMessage(producer, number) {
  const bytes = Buffer.alloc(SIZES[(producer + number * 5) % SIZES.length] ?? 0);
  bytes.fill(patternOf(producer, number), HEADER_BYTES);
  bytes.writeUInt32LE(producer, 0);
  bytes.writeUInt32LE(number, 4);
  return bytes;
}

/** @param {Uint8Array} bytes */
export function readMessage(bytes) {
  const { buffer, byteOffset, length } = bytes;
  const message = Buffer.from(buffer, byteOffset, length);
  const producer = message.readUInt32LE(0);
  const number = message.readUInt32LE(4);
  return { producer, number, whole: message.equals(makeMessage(producer, number)) };
}

/**
 * @param {number} producer
 * @param {number} number
 */
function patternOf(producer, number) {
  // Of a length that no page is a multiple of: pages of one message in the place of others would be seen.
  return Buffer.from(`${producer}/${number};`.repeat(7));
}
