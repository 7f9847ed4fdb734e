import { InterprocError, shown } from '../errors.js';
import type { Codec } from './codec.js';
import { decodeOwnText, decodeText, encodeText } from './text.js';

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new InterprocError('ERR_DECODE', `A message is no JSON: ${shown(text)}`, { cause });
  }
}

/**
 * What `JSON.stringify` makes of a value, with all that it drops and changes on the way: NaN, undefined
 * members, Maps, class instances.
 */
export const jsonCodec: Codec<unknown> = {
  name: 'json',
  encodesAnew: true,

  encode(value, outbox) {
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw new InterprocError(
        'ERR_ENCODE',
        `JSON cannot carry ${shown(value)}: ${cause instanceof Error ? cause.message : shown(cause)}; convert it, or use codec 'structured'`,
        { cause },
      );
    }
    if (text === undefined) {
      throw new InterprocError(
        'ERR_ENCODE',
        `JSON has no text for ${shown(value)}; put null, or use codec 'structured'`,
      );
    }
    return encodeText(text, outbox);
  },

  decode: (inbox, offset, length) => parse(decodeText(inbox, offset, length)),
  decodeOwn: (bytes) => parse(decodeOwnText(bytes)),
};
