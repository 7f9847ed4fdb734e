import { InterprocError, invalidArgument } from '../errors.js';
import type { BuiltInCodecName, Codec, CustomCodec } from './codec.js';
import { customCodec } from './custom.js';
import { jsonCodec } from './json.js';
import { rawCodec } from './raw.js';
import { isStruct, structOfSchema } from '../shapes/struct.js';
import type { StructType } from '../shapes/struct.js';
import { stringCodec } from './string.js';
import { isStructCodecName, structCodec } from './struct.js';
import { structuredCodec } from './structured.js';

const BUILT_IN = {
  structured: structuredCodec,
  json: jsonCodec,
  string: stringCodec,
  raw: rawCodec,
} satisfies Record<BuiltInCodecName, unknown>;

/** Whether every process knows the codec of this name. */
export function isBuiltIn(name: string): name is BuiltInCodecName {
  return Object.hasOwn(BUILT_IN, name);
}

/** The codec that an option asks for. The caller's types say what values it takes. */
export function codecFor<T>(
  option: BuiltInCodecName | CustomCodec<T> | StructType<T, unknown>,
): Codec<T> {
  if (typeof option === 'string' && isBuiltIn(option))
    return BUILT_IN[option] as unknown as Codec<T>;
  if (isStruct(option)) return structCodec<T>(option as StructType<T, unknown>);
  if (typeof option === 'object' && option !== null) return customCodec(option, isBuiltIn);
  throw invalidArgument(
    'codec',
    "'structured', 'json', 'string', 'raw', a Struct or { encode, decode }",
    option,
  );
}

/**
 * The codec that has this `schema`, which may come from anybody.
 * @throws ERR_CORRUPT
 */
export function codecOfSchema(schema: string): Codec<unknown> {
  return structCodec(structOfSchema(schema));
}

/** The codec of an object that was opened without naming one. */
export function codecNamed<T>(name: string, what: string): Codec<T> {
  if (isBuiltIn(name)) return BUILT_IN[name] as unknown as Codec<T>;
  if (isStructCodecName(name)) {
    throw new InterprocError(
      'ERR_MISMATCH',
      `${what} carries records of a Struct; pass { codec } with the Struct that it was created with`,
    );
  }
  throw new InterprocError(
    'ERR_MISMATCH',
    `${what} was created with the codec '${name}', which this process does not know; pass { codec: { name: '${name}', encode, decode } }`,
  );
}
