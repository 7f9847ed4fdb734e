import { invalidArgument } from '../errors.js';
import type { OpenMode } from '../contract/channel.js';
import type { State } from '../contract/state.js';
import type { BackendSelector } from './bind-queue.js';
import { checkName } from './name.js';
import { openWhenAvailable } from './open-when-available.js';
import type { HandleClasses } from './passengers.js';
import type { QueueMode } from './queue-options.js';
import { MEMORY_TRAVELS_AS, SharedMemory } from './shared-memory.js';
import { ALSO_WAITS, checkStateOptions, openStateOf } from './state-options.js';
import type { StateContents, StateHandleOptions } from './state-options.js';
import type { WaitOptions } from './wait-options.js';

/** The class `SharedMemory` as users see it. */
export interface SharedMemoryConstructor {
  /**
   * Anonymous memory of `size` bytes, 1 or more: no name, and it goes with its last participant.
   *
   * @throws ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  new (size: number, options?: StateHandleOptions): SharedMemory;
  readonly prototype: SharedMemory;
  /**
   * New memory of `size` bytes, 1 or more, all zeros. The room is taken at once: what is created can be written to.
   *
   * @throws ERR_EXISTS if an object of this name is there; ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  create(name: string, size: number, options?: StateHandleOptions): SharedMemory;
  /**
   * Memory that is there.
   *
   * @throws ERR_NOT_FOUND; ERR_KIND if it is no memory; ERR_MISMATCH; ERR_VERSION, ERR_CORRUPT, ERR_NO_SLOT, ERR_INVALID_ARG,
   * ERR_PERMISSION
   */
  open(name: string, options?: StateHandleOptions): SharedMemory;
  /**
   * The memory that is there, which must have that size, or else new memory.
   *
   * @throws as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS
   */
  openOrCreate(name: string, size: number, options?: StateHandleOptions): SharedMemory;
  /**
   * The memory, as soon as some process has created it. The wait keeps this process alive.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; else as `open`, without ERR_NOT_FOUND
   */
  openWhenAvailable(
    name: string,
    options?: StateHandleOptions & WaitOptions,
  ): Promise<SharedMemory>;
}

const SCHEMA = 'bytes';

const describe = ({ byteLength }: StateContents): string => `memory of ${byteLength} bytes`;

function contentsOf(size: unknown): StateContents {
  if (Number.isSafeInteger(size) && (size as number) >= 1) {
    return { byteLength: size as number, schema: SCHEMA, parameter: 0 };
  }
  throw invalidArgument('The size of shared memory', 'a whole number of bytes, 1 or more', size);
}

/** The class `SharedMemory`, whose memory lives on the backends that `select` finds. */
export function bindSharedMemory(
  select: BackendSelector,
  handles: HandleClasses,
): SharedMemoryConstructor {
  function open(
    mode: QueueMode,
    name: string | undefined,
    contents: StateContents | undefined,
    options: StateHandleOptions = {},
    alsoTakes: readonly string[] = [],
  ): State {
    const opening = { kind: 'memory', article: 'Shared memory', mode, name, alsoTakes } as const;
    const checked = checkStateOptions(options, opening);
    return openStateOf(select(checked.backend), opening, checked, contents, describe);
  }

  const make = (mode: OpenMode) => (name: unknown, size: unknown, options?: StateHandleOptions) =>
    new Bound(new Opened(open(mode, checkName(name), contentsOf(size), options)));

  class Opened {
    constructor(readonly state: State) {}
  }

  class Bound extends SharedMemory {
    static readonly create = make('create');
    static readonly openOrCreate = make('openOrCreate');

    static open(name: unknown, options?: StateHandleOptions): SharedMemory {
      return new Bound(new Opened(open('open', checkName(name), undefined, options)));
    }

    static async openWhenAvailable(
      name: unknown,
      options?: StateHandleOptions & WaitOptions,
    ): Promise<SharedMemory> {
      const known = checkName(name);
      return openWhenAvailable(
        () => new Bound(new Opened(open('open', known, undefined, options, ALSO_WAITS))),
        known,
        options,
      );
    }

    constructor(size: unknown, options?: StateHandleOptions) {
      super(
        size instanceof Opened
          ? size.state
          : open('anonymous', undefined, contentsOf(size), options),
      );
    }
  }
  handles.add(
    MEMORY_TRAVELS_AS,
    (backend, ticket) => new Bound(new Opened(backend.openStateTicket(ticket, 'memory'))),
  );
  Object.defineProperty(Bound, 'name', { value: 'SharedMemory' });
  return Bound as unknown as SharedMemoryConstructor;
}
