import { InterprocError, invalidArgument } from '../errors.js';
import type { BackendKind } from '../contract/channel.js';
import type { PipeOptions as BackendOptions } from '../contract/pipe.js';
import type { BuiltInCodecName, CustomCodec } from '../codec/codec.js';
import type { StructType } from '../shapes/struct.js';
import { checkCount, MAX_COUNT } from './count.js';

/** How a pipe is made. */
export interface PipeOptions<T = unknown> {
  /**
   * Whether both ends send and receive. If not, the first only receives and the second only sends.
   * @default true
   */
  readonly duplex?: boolean | undefined;
  /**
   * Bytes that are on their way at once, in each direction: messages and a few bytes for each. Rounded up to a power of two, 4 KiB
   * at least. A larger message goes in parts.
   * @default 65536
   */
  readonly capacityBytes?: number | undefined;
  /**
   * The largest message, in bytes as encoded: up to 2^32 - 1. A larger one is refused with ERR_TOO_LARGE.
   * @default 1 GiB
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * How values become bytes, in both directions. `'structured'`: what the structured clone algorithm carries, and handles of this
   * package. `'json'`. `'string'`. `'raw'`: Uint8Arrays, as they are; those of 65 bytes to 4 KiB come back as views of a buffer they
   * share, so mind `byteOffset`, as with a Buffer. A `Struct`: plain objects with its fields, as fixed-size records. Or `{ encode,
   * decode }` of your own; the ends of such a pipe cannot be sent to other processes.
   * @default 'structured'
   */
  readonly codec?: BuiltInCodecName | CustomCodec<T> | StructType<T, unknown> | undefined;
  /**
   * What carries the messages.
   * @default the one of this process, `backend.kind`: 'native', shared memory, wherever the addon loads
   */
  readonly backend?: BackendKind | undefined;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof PipeOptions>([
  'duplex',
  'capacityBytes',
  'maxMessageBytes',
  'codec',
  'backend',
]);

/**
 * The options as a backend takes them, checked; the codec is the caller's to resolve. A misspelt option would be a default in
 * silence.
 * @throws ERR_INVALID_ARG
 */
export function pipeOptions(
  options: PipeOptions<never>,
  codec: string | undefined,
): BackendOptions {
  const { duplex } = options;
  if (duplex !== undefined && typeof duplex !== 'boolean') {
    throw invalidArgument('duplex', 'true or false', duplex);
  }
  return {
    duplex,
    capacityBytes: checkCount('capacityBytes', options.capacityBytes, Number.MAX_SAFE_INTEGER),
    maxMessageBytes: checkCount('maxMessageBytes', options.maxMessageBytes, MAX_COUNT),
    codec,
  };
}

/** @throws ERR_INVALID_ARG */
export function checkPipeOptionNames(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', 'an object such as { capacityBytes: 65536 }', options);
  }
  for (const name of Object.keys(options)) {
    if (OPTION_NAMES.has(name)) continue;
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `A pipe has no option '${name}'; it has ${[...OPTION_NAMES].join(', ')}`,
    );
  }
}
