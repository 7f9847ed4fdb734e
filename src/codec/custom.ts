import { isUint8Array } from 'node:util/types';

import { InterprocError, invalidArgument, shown } from '../errors.js';
import type { Codec, CustomCodec } from './codec.js';

const DEFAULT_NAME = 'custom';
const NAME = /^[A-Za-z0-9._-]{1,63}$/;

function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : shown(thrown);
}

/** The caller's codec as the primitives want it. */
export function customCodec<T>(
  given: CustomCodec<T>,
  reserved: (name: string) => boolean,
): Codec<T> {
  if (typeof given.encode !== 'function' || typeof given.decode !== 'function') {
    throw invalidArgument('codec', 'an object with the functions encode and decode', given);
  }
  const name = given.name ?? DEFAULT_NAME;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw invalidArgument('codec.name', "1-63 letters, digits, '.', '_' or '-'", name);
  }
  if (reserved(name)) {
    throw invalidArgument('codec.name', 'a name that no built-in codec has', name);
  }
  return {
    name,
    decodesByCaller: true,

    encode(value) {
      let bytes: unknown;
      try {
        bytes = given.encode(value);
      } catch (cause) {
        throw new InterprocError(
          'ERR_ENCODE',
          `Codec '${name}' cannot carry ${shown(value)}: ${reason(cause)}`,
          { cause },
        );
      }
      if (!isUint8Array(bytes)) {
        throw new InterprocError(
          'ERR_ENCODE',
          `encode of codec '${name}' must return a Uint8Array; it returned ${shown(bytes)}`,
        );
      }
      return bytes;
    },

    // In a buffer of their own: the caller's code may look at all of it, and keep or transfer it.
    decode: (inbox, offset, length) => decode(inbox.slice(offset, offset + length)),
    decodeOwn: decode,
  };

  function decode(bytes: Uint8Array): T {
    try {
      return given.decode(bytes);
    } catch (cause) {
      throw new InterprocError(
        'ERR_DECODE',
        `Codec '${name}' cannot read a message of ${bytes.length} bytes: ${reason(cause)}`,
        { cause },
      );
    }
  }
}
