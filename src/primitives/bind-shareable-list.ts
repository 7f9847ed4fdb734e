import { invalidArgument } from '../errors.js';
import type { OpenMode } from '../contract/channel.js';
import { SlotList } from '../shapes/slot-list.js';
import type { ShareableValue } from '../shapes/slot-list.js';
import type { BackendSelector } from './bind-queue.js';
import { checkName } from './name.js';
import { openWhenAvailable } from './open-when-available.js';
import type { HandleClasses } from './passengers.js';
import type { QueueMode } from './queue-options.js';
import { LIST_TRAVELS_AS, OpenedList, ShareableList } from './shareable-list.js';
import { ALSO_WAITS, checkStateOptions, openStateOf } from './state-options.js';
import type { StateContents, StateHandleOptions } from './state-options.js';
import type { WaitOptions } from './wait-options.js';

/** The class `ShareableList` as users see it. */
export interface ShareableListConstructor {
  /**
   * An anonymous list: no name, and it goes with its last participant.
   *
   * @param values its elements, none or more, from anything that can be iterated; another list, say
   * @throws ERR_INVALID_ARG; ERR_TOO_LARGE for more than 1 GiB; ERR_NO_SPACE, ERR_PERMISSION
   */
  new (values: Iterable<ShareableValue>, options?: StateHandleOptions): ShareableList;
  readonly prototype: ShareableList;
  /**
   * A new list.
   *
   * @throws ERR_EXISTS if an object of this name is there; ERR_INVALID_ARG; ERR_TOO_LARGE for more than 1 GiB; ERR_NO_SPACE, ERR_PERMISSION
   */
  create(
    name: string,
    values: Iterable<ShareableValue>,
    options?: StateHandleOptions,
  ): ShareableList;
  /**
   * A list that is there. O(length).
   *
   * @throws ERR_NOT_FOUND; ERR_KIND if it is no list; ERR_MISMATCH; ERR_VERSION, ERR_CORRUPT, ERR_NO_SLOT, ERR_INVALID_ARG,
   * ERR_PERMISSION
   */
  open(name: string, options?: StateHandleOptions): ShareableList;
  /**
   * The list that is there, as it is, which must have as many elements and bytes as one of `values` would, or else a new one.
   *
   * @throws as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS
   */
  openOrCreate(
    name: string,
    values: Iterable<ShareableValue>,
    options?: StateHandleOptions,
  ): ShareableList;
  /**
   * The list, as soon as some process has created it. The wait keeps this process alive.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; else as `open`, without ERR_NOT_FOUND
   */
  openWhenAvailable(
    name: string,
    options?: StateHandleOptions & WaitOptions,
  ): Promise<ShareableList>;
}

const SCHEMA = 'slots';

const describe = ({ parameter, byteLength }: StateContents): string =>
  `a list of ${parameter} elements in ${byteLength} bytes`;

interface Wanted extends StateContents {
  readonly initial: Uint8Array;
}

function wantedOf(values: unknown): Wanted {
  const isIterable =
    values !== null &&
    values !== undefined &&
    typeof Object(values)[Symbol.iterator] === 'function';
  if (!isIterable) throw invalidArgument('ShareableList', 'something to iterate', values);
  const elements = [...(values as Iterable<ShareableValue>)];
  const initial = SlotList.bytesOf(elements);
  return { byteLength: initial.length, schema: SCHEMA, parameter: elements.length, initial };
}

/** The class `ShareableList`, whose lists live on the backends that `select` finds. */
export function bindShareableList(
  select: BackendSelector,
  handles: HandleClasses,
): ShareableListConstructor {
  function open(
    mode: QueueMode,
    name: string | undefined,
    wanted: Wanted | undefined,
    options: StateHandleOptions = {},
    alsoTakes: readonly string[] = [],
  ): OpenedList {
    const opening = { kind: 'list', article: 'A ShareableList', mode, name, alsoTakes } as const;
    const checked = checkStateOptions(options, opening);
    const backend = select(checked.backend);
    return new OpenedList(
      openStateOf(backend, opening, checked, wanted, describe, wanted?.initial),
    );
  }

  const make = (mode: OpenMode) => (name: unknown, values: unknown, options?: StateHandleOptions) =>
    new Bound(open(mode, checkName(name), wantedOf(values), options));

  class Bound extends ShareableList {
    static readonly create = make('create');
    static readonly openOrCreate = make('openOrCreate');

    static open(name: unknown, options?: StateHandleOptions): ShareableList {
      return new Bound(open('open', checkName(name), undefined, options));
    }

    static async openWhenAvailable(
      name: unknown,
      options?: StateHandleOptions & WaitOptions,
    ): Promise<ShareableList> {
      const known = checkName(name);
      return openWhenAvailable(
        () => new Bound(open('open', known, undefined, options, ALSO_WAITS)),
        known,
        options,
      );
    }

    constructor(values: unknown, options?: StateHandleOptions) {
      super(
        values instanceof OpenedList
          ? values
          : open('anonymous', undefined, wantedOf(values), options),
      );
    }
  }
  handles.add(
    LIST_TRAVELS_AS,
    (backend, ticket) => new Bound(new OpenedList(backend.openStateTicket(ticket, 'list'))),
  );
  Object.defineProperty(Bound, 'name', { value: 'ShareableList' });
  return Bound as unknown as ShareableListConstructor;
}
