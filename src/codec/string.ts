import { invalidArgument } from '../errors.js';
import type { Codec } from './codec.js';
import { decodeOwnText, decodeText, encodeText } from './text.js';

/** Strings, unchanged: lone surrogates and U+0000 included. */
export const stringCodec: Codec<string> = {
  name: 'string',
  encodesAnew: true,

  encode(value, outbox) {
    if (typeof value !== 'string') {
      throw invalidArgument("Codec 'string'", 'strings', value);
    }
    return encodeText(value, outbox);
  },

  decode: decodeText,
  decodeOwn: decodeOwnText,
};
