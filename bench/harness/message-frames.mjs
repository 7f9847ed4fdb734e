// @ts-check
/** Messages in a byte stream: four bytes of length, little endian, then the message. */

const PREFIX_BYTES = 4;
const CHUNK_BYTES = 65_536;

/** @typedef {import('node:net').Socket} Socket */

/**
 * Writes one message at a time, corked: the stream hands the kernel what has gathered, many messages in one `writev`.
 * This is what a careful user of net writes; the prefixes cost no allocation.
 */
export class CorkedFrameWriter {
  #socket;
  #prefix;
}
