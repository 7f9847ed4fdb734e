// @ts-check
import { childProcessPatterns } from '../harness/child-process-sides.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'child-process-json',
  what: "child_process messages with serialization 'json', the bytes as base64",
  patterns: childProcessPatterns({
    serialization: 'json',
    // JSON has no bytes: an array of numbers would be three times as long, and slower still.
    pack: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    unpack: (packed) => Buffer.from(String(packed), 'base64'),
  }),
};
