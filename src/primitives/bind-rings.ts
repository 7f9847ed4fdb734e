import { InterprocError, invalidArgument } from '../errors.js';
import type { RingOpener, RingRole } from '../contract/byte-ring.js';
import type { Backend, OpenMode } from '../contract/channel.js';
import { assertCapable } from './lacking.js';
import { checkName } from './name.js';
import { MpmcRing, SpscRing } from './rings.js';

export interface RingOptions {
  /**
   * The room for messages, in bytes, rounded up to a power of two of at least 4,096.
   * @default 65,536
   */
  readonly capacityBytes?: number | undefined;
  /**
   * Keeps the ring when nobody has it open, also when it is empty.
   * @default false
   */
  readonly persist?: boolean | undefined;
}

export interface SpscRingOptions extends RingOptions {
  /** Which end of the ring this process holds. There is one of each: ERR_NO_SLOT while another process has it. */
  readonly role: RingRole;
}

/** The class `MpmcRing` as users see it. A ring and a queue with codec 'raw' are the same object. */
export interface MpmcRingConstructor {
  readonly prototype: MpmcRing;
  /** @throws ERR_EXISTS, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION */
  create(name: string, options?: RingOptions): MpmcRing;
  /** @throws ERR_NOT_FOUND, ERR_KIND, ERR_MISMATCH, ERR_VERSION, ERR_CORRUPT, ERR_NO_SLOT, ERR_INVALID_ARG, ERR_PERMISSION */
  open(name: string, options?: RingOptions): MpmcRing;
  openOrCreate(name: string, options?: RingOptions): MpmcRing;
}

/** The class `SpscRing` as users see it; the same errors. */
export interface SpscRingConstructor {
  readonly prototype: SpscRing;
  create(name: string, options: SpscRingOptions): SpscRing;
  open(name: string, options: SpscRingOptions): SpscRing;
  openOrCreate(name: string, options: SpscRingOptions): SpscRing;
}

/** @throws ERR_UNSUPPORTED */
function ringsOf(backend: Backend): Backend & RingOpener {
  assertCapable(backend, 'rings', 'interproc/ring');
  return backend as Backend & RingOpener;
}

/** The rings on the backend that `choose` finds. */
export function bindRings(choose: () => Backend): {
  MpmcRing: MpmcRingConstructor;
  SpscRing: SpscRingConstructor;
} {
  const select = () => ringsOf(choose());
  const mpmc =
    (mode: OpenMode) =>
    (name: string, options: RingOptions = {}) => {
      checkOptions(options, RING_OPTIONS);
      const { capacityBytes, persist } = options;
      return new MpmcRing(
        select().openChannel(checkName(name), mode, { capacityBytes, persist, codec: 'raw' }),
      );
    };
  const spsc = (mode: OpenMode) => (name: string, options: SpscRingOptions) => {
    checkOptions(options, SPSC_OPTIONS);
    if (options.role !== 'producer' && options.role !== 'consumer') {
      throw invalidArgument('role', "'producer' or 'consumer'", options.role);
    }
    return new SpscRing(select().openSpsc(checkName(name), mode, options));
  };
  class BoundMpmcRing extends MpmcRing {
    static readonly create = mpmc('create');
    static readonly open = mpmc('open');
    static readonly openOrCreate = mpmc('openOrCreate');
  }
  class BoundSpscRing extends SpscRing {
    static readonly create = spsc('create');
    static readonly open = spsc('open');
    static readonly openOrCreate = spsc('openOrCreate');
  }
  return {
    MpmcRing: BoundMpmcRing as MpmcRingConstructor,
    SpscRing: BoundSpscRing as SpscRingConstructor,
  };
}

const RING_OPTIONS: readonly string[] = [
  'capacityBytes',
  'persist',
] satisfies (keyof RingOptions)[];
const SPSC_OPTIONS: readonly string[] = [...RING_OPTIONS, 'role' satisfies keyof SpscRingOptions];

function checkOptions(options: unknown, known: readonly string[]): asserts options is RingOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', 'an object such as { capacityBytes: 65_536 }', options);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `This ring has no option '${unknown}'; it has ${known.join(', ')}`,
    );
  }
  const { capacityBytes, persist } = options as RingOptions;
  if (capacityBytes !== undefined && !(Number.isSafeInteger(capacityBytes) && capacityBytes >= 1)) {
    throw invalidArgument('capacityBytes', 'a whole number of bytes, 1 or more', capacityBytes);
  }
  if (capacityBytes !== undefined && capacityBytes > 2 ** 32) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `capacityBytes is ${capacityBytes}; a ring holds ${2 ** 32} at most`,
    );
  }
  if (persist !== undefined && typeof persist !== 'boolean') {
    throw invalidArgument('persist', 'true or false', persist);
  }
}
