// @ts-check
/** A message that proves itself: who put it, its number there, and a checksum of all its bytes. */
import { crc32 } from 'node:zlib';
import { SeededRandom } from './seeded-random.mjs';

/** { checksum, producer, number } as uint32 each: no soak puts 2^32 messages per producer. */
export const HEADER_BYTES = 12;

const SMALL_BYTES = 1024;
const LARGEST_BYTES = 8 << 20;
const SMALL_ONES = 0.999;

/** Sizes as the promise has them: 99.9 % up to 1 KiB, the rest up to 8 MiB, small ones of these more often than large ones. */
export class SoakSizes {
  #random;

  /** @param {number} seed */
  constructor(seed) {
    this.#random = new SeededRandom(seed);
  }

  next() {
    const random = this.#random;
    if (random.fraction() < SMALL_ONES) {
      return HEADER_BYTES + random.below(SMALL_BYTES - HEADER_BYTES + 1);
    }
    return Math.floor(SMALL_BYTES * (LARGEST_BYTES / SMALL_BYTES) ** random.fraction());
  }
}

/** Writes messages whose bytes come from one random block, at a place that depends on the number. */
export class SoakWriter {
  #producer;
  #noise;

  /** @param {number} producer */
  constructor(producer) {
    this.#producer = producer;
    const random = new SeededRandom(producer + 1);
    const words = Uint32Array.from({ length: (LARGEST_BYTES + 65_536) / 4 }, () =>
      random.below(2 ** 32),
    );
    this.#noise = new Uint8Array(words.buffer);
  }

  /**
   * @param {Uint8Array} into the whole message
   * @param {number} number
   */
  write(into, number) {
    const start = (number * 64) % 65_536;
    into.set(this.#noise.subarray(start, start + into.length - HEADER_BYTES), HEADER_BYTES);
    const header = new DataView(into.buffer, into.byteOffset);
    header.setUint32(4, this.#producer);
    header.setUint32(8, number);
    header.setUint32(0, crc32(into.subarray(4)));
  }
}

/**
 * @param {Uint8Array} message
 * @returns {{ producer: number, number: number }}
 */
export function readSoakMessage(message) {
  const header = new DataView(message.buffer, message.byteOffset, message.length);
  const producer = header.getUint32(4);
  const number = header.getUint32(8);
  if (crc32(message.subarray(4)) !== header.getUint32(0)) {
    throw new Error(`message ${number} of producer ${producer} (${message.length} bytes) is torn`);
  }
  return { producer, number };
}
