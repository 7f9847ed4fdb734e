import { InterprocError, invalidArgument } from '../errors.js';
import type { BackendKind, ChannelOptions, OpenMode } from '../contract/channel.js';
import type { BuiltInCodecName, CustomCodec } from '../codec/codec.js';
import type { StructType } from '../shapes/struct.js';
import { checkCount, MAX_COUNT } from './count.js';
import { checkName } from './name.js';
import type { WaitOptions } from './wait-options.js';

/**
 * How a queue is made. All but `codec` and `backend` are fixed at creation and kept in the queue itself: who
 * opens it later need not repeat them, and gets ERR_MISMATCH for others than it was created with.
 */
export interface QueueOptions<T = unknown> {
  /**
   * Bytes the queue holds: messages of all sizes and a few bytes for each, but those that are larger than all of
   * it. Rounded up to a power of two, 4 KiB at least.
   * @default 65536
   */
  readonly capacityBytes?: number | undefined;
  /**
   * The largest message, in bytes as encoded: up to 2^32 - 1. A larger one is refused with ERR_TOO_LARGE. One that
   * is larger than the capacity stands beside it, in memory that is taken for it when it is put (ERR_NO_SPACE if
   * there is none), and given back when it is gone and no other wants it.
   * @default 1 GiB, or the capacity if that is more
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Bytes of messages larger than the capacity that the queue holds at once; with more of them a put waits, as in
   * a full queue. One that finds no other is let in whatever its size. There are 256 at most.
   * @default 16 MiB, or 4 times the capacity if that is more
   */
  readonly maxSideBytes?: number | undefined;
  /**
   * Messages it holds at most, whatever their size: 1 or more.
   * @default undefined: as many as fit
   */
  readonly maxItems?: number | undefined;
  /**
   * How often a message is delivered before it goes to the `deadLetter` queue instead: 1 or more. Needs
   * `deadLetter`. Every get then goes by way of `receive`, which costs one more copy.
   * @default undefined: no limit
   */
  readonly maxDeliveries?: number | undefined;
  /**
   * The name of the queue that takes what was delivered `maxDeliveries` times. It is created, with the same
   * codec and size, when the first comes.
   */
  readonly deadLetter?: string | undefined;
  /**
   * How values become bytes. `'structured'`: what the structured clone algorithm carries. `'json'`.
   * `'string'`. `'raw'`: Uint8Arrays, as they are; those of 65 bytes to 4 KiB come back as views of a
   * buffer they share, so mind `byteOffset`, as with a Buffer. A `Struct`: plain objects with its fields, as fixed-size
   * records. Or `{ encode, decode }` of your own. Every opener has to pass the Struct, or the codec of your own.
   * @default 'structured' when creating, and what the queue was created with when opening
   */
  readonly codec?: BuiltInCodecName | CustomCodec<T> | StructType<T, unknown> | undefined;
  /**
   * Keeps the queue when nobody has it open, empty or not, until `unlink()` or `rm`. Not for anonymous queues.
   * @default false: an empty queue goes with its last participant; one that holds messages stays
   */
  readonly persist?: boolean | undefined;
  /**
   * How many threads of all processes may have it open at once: 1-256.
   * @default 64
   */
  readonly maxParticipants?: number | undefined;
  /**
   * What carries the messages.
   * @default the one of this process, `backend.kind`: 'native', shared memory, wherever the addon loads
   */
  readonly backend?: BackendKind | undefined;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof QueueOptions>([
  'capacityBytes',
  'maxMessageBytes',
  'maxSideBytes',
  'maxItems',
  'maxDeliveries',
  'deadLetter',
  'codec',
  'persist',
  'maxParticipants',
  'backend',
]);
const WAIT_OPTION_NAMES: ReadonlySet<string> = new Set<keyof WaitOptions>(['timeoutMs', 'signal']);

const MAX_PARTICIPANTS = 256;

/** How the queue is found: `anonymous` is `create` without a name. */
export type QueueMode = OpenMode | 'anonymous';

/**
 * The options as a backend takes them, checked; the codec is the caller's to resolve.
 * @throws ERR_INVALID_ARG
 */
export function channelOptions(
  options: QueueOptions<never>,
  mode: QueueMode,
  name: string | undefined,
  codec: string | undefined,
): ChannelOptions {
  const { persist, deadLetter } = options;
  const maxDeliveries = checkCount('maxDeliveries', options.maxDeliveries, MAX_COUNT);
  if (persist !== undefined && typeof persist !== 'boolean') {
    throw invalidArgument('persist', 'true or false', persist);
  }
  if (persist === true && mode === 'anonymous') {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      'An anonymous queue goes with its last participant and cannot persist; give it a name with Queue.create',
    );
  }
  if (deadLetter !== undefined) {
    checkName(deadLetter, 'deadLetter');
    if (deadLetter === name) {
      throw invalidArgument('deadLetter', 'the name of another queue', deadLetter);
    }
  }
  if (mode !== 'open' && (maxDeliveries === undefined) !== (deadLetter === undefined)) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      maxDeliveries === undefined
        ? `deadLetter '${deadLetter}' has no effect without maxDeliveries; pass both or none`
        : `maxDeliveries ${maxDeliveries} needs deadLetter, the name of the queue that takes what was delivered too often`,
    );
  }
  return {
    capacityBytes: checkCount('capacityBytes', options.capacityBytes, Number.MAX_SAFE_INTEGER),
    maxMessageBytes: checkCount('maxMessageBytes', options.maxMessageBytes, MAX_COUNT),
    maxSideBytes: checkCount('maxSideBytes', options.maxSideBytes, Number.MAX_SAFE_INTEGER),
    maxItems: checkCount('maxItems', options.maxItems, MAX_COUNT),
    maxDeliveries,
    deadLetter,
    codec,
    persist,
    maxParticipants: checkCount('maxParticipants', options.maxParticipants, MAX_PARTICIPANTS),
  };
}

/**
 * Refuses what is no options object, and names that no option has: a misspelt option would be a default in silence.
 * @throws ERR_INVALID_ARG
 */
export function checkOptionNames(options: unknown, alsoWaits: boolean): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', 'an object such as { capacityBytes: 65536 }', options);
  }
  for (const name of Object.keys(options)) {
    if (OPTION_NAMES.has(name) || (alsoWaits && WAIT_OPTION_NAMES.has(name))) continue;
    const known = [...OPTION_NAMES, ...(alsoWaits ? WAIT_OPTION_NAMES : [])];
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `A queue has no option '${name}'; it has ${known.join(', ')}`,
    );
  }
}
