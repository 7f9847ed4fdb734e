import { invalidArgument } from '../errors.js';
import type { Backend, Ticket } from '../contract/channel.js';
import type { StateKind } from '../contract/state.js';
import type { BackendSelector } from './bind-queue.js';
import { Barrier } from './barrier.js';
import type { BarrierOptions } from './barrier.js';
import { Condition, LOCK_IS_ANOTHER } from './condition.js';
import type { ConditionOptions } from './condition.js';
import { Event } from './event.js';
import { Lock } from './lock.js';
import { checkName } from './name.js';
import { openWhenAvailable } from './open-when-available.js';
import { HandleClasses } from './passengers.js';
import type { QueueMode } from './queue-options.js';
import { RLock } from './rlock.js';
import { RWLock } from './rw-lock.js';
import { BoundedSemaphore, Semaphore } from './semaphore.js';
import { StateHandle } from './state-handle.js';
import { ALSO_WAITS, checkStateOptions, openStateOf } from './state-options.js';
import type { StateContents, StateHandleOptions } from './state-options.js';
import type { WaitOptions } from './wait-options.js';

/** How handles of one class are opened by name; `A`: what a new one begins with, before the options. */
export interface LockOpening<H, A extends unknown[] = [], O = StateHandleOptions> {
  /**
   * A new one.
   *
   * @throws ERR_EXISTS if an object of this name is there; ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  create(name: string, ...args: [...A, options?: O]): H;
  /**
   * One that is there; what it was created with need not be repeated.
   *
   * @throws ERR_NOT_FOUND; ERR_KIND if the object of this name is something else; ERR_MISMATCH if options disagree with what it
   * was created with; ERR_VERSION, ERR_CORRUPT, ERR_NO_SLOT, ERR_INVALID_ARG, ERR_PERMISSION
   */
  open(name: string, options?: O): H;
  /**
   * The one that is there, or else a new one: of several processes that call it at once, one creates it.
   *
   * @throws as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS; ERR_MISMATCH also if it began with something else
   */
  openOrCreate(name: string, ...args: [...A, options?: O]): H;
  /**
   * It, as soon as some process has created it. The wait keeps this process alive.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; else as `open`, without ERR_NOT_FOUND
   */
  openWhenAvailable(name: string, options?: O & WaitOptions): Promise<H>;
}

/** The class `Lock` as users see it. */
export interface LockConstructor extends LockOpening<Lock> {
  readonly prototype: Lock;
  /** An anonymous one: shared by passing the handle itself, and it goes with its last participant. */
  new (options?: StateHandleOptions): Lock;
}

/** The class `RLock` as users see it. */
export interface RLockConstructor extends LockOpening<RLock> {
  readonly prototype: RLock;
  /** An anonymous one. */
  new (options?: StateHandleOptions): RLock;
}

/** The classes `Semaphore` and `BoundedSemaphore` as users see them; `value`: permits at first, 0 to 16,777,215, 1 by default. */
export interface SemaphoreConstructor<S extends Semaphore> extends LockOpening<
  S,
  [value?: number]
> {
  readonly prototype: S;
  /** An anonymous one. */
  new (value?: number, options?: StateHandleOptions): S;
}

/** The class `Condition` as users see it. */
export interface ConditionConstructor extends LockOpening<Condition, [], ConditionOptions> {
  readonly prototype: Condition;
  /** An anonymous one: with that lock, or one of its own. */
  new (lock?: Lock | RLock | ConditionOptions): Condition;
}

/** The class `Event` as users see it. */
export interface EventConstructor extends LockOpening<Event> {
  readonly prototype: Event;
  /** An anonymous one. */
  new (options?: StateHandleOptions): Event;
}

/** The class `Barrier` as users see it; `parties`: how many must come, 1 to 32,767. */
export interface BarrierConstructor extends LockOpening<
  Barrier,
  [parties: number],
  BarrierOptions
> {
  readonly prototype: Barrier;
  /** An anonymous one. */
  new (parties: number, options?: BarrierOptions): Barrier;
}

/** The class `RWLock` as users see it. */
export interface RWLockConstructor extends LockOpening<RWLock> {
  readonly prototype: RWLock;
  /** An anonymous one. */
  new (options?: StateHandleOptions): RWLock;
}

export interface LockClasses {
  readonly Lock: LockConstructor;
  readonly RLock: RLockConstructor;
  readonly Semaphore: SemaphoreConstructor<Semaphore>;
  readonly BoundedSemaphore: SemaphoreConstructor<BoundedSemaphore>;
  readonly Condition: ConditionConstructor;
  readonly Event: EventConstructor;
  readonly Barrier: BarrierConstructor;
  readonly RWLock: RWLockConstructor;
}

/** What tells one class from the others. */
interface Definition {
  readonly kind: StateKind;
  /** The class's own name. */
  readonly noun: string;
  readonly article: string;
  /** Whether there is an argument before the options. */
  readonly isGiven?: boolean;
  /** The number that the object keeps: of that argument, or of the options. 0 by default. */
  readonly parameter?: (given: unknown, options: object) => number;
  /** What that number is called. */
  readonly parameterIs?: string;
  /** Options that are not for the backend. */
  readonly ownOptions?: readonly string[];
  /** What `new` takes besides, made into what the others take. */
  readonly options?: (first: unknown) => unknown;
}

interface Handle {
  close(): void;
}

/** `options`: what the handle's own options are taken from. */
type HandleClass = new (handle: StateHandle, options: object) => Handle;

// As many as a semaphore can count.
const MAX_PERMITS = 2 ** 24 - 1;

function permits(value: unknown = 1): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_PERMITS) {
    return value as number;
  }
  throw invalidArgument('A semaphore', `a whole number of permits from 0 to ${MAX_PERMITS}`, value);
}

// As many as a barrier can count.
const MAX_PARTIES = 2 ** 15 - 1;

function parties(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PARTIES) {
    return value as number;
  }
  throw invalidArgument('A barrier', `a whole number of parties from 1 to ${MAX_PARTIES}`, value);
}

/** A handle's state that was opened already, as its constructor takes it. */
class Opened {
  constructor(
    readonly handle: StateHandle,
    readonly options: object,
  ) {}
}

/** The classes of locks, whose objects live on the backends that `select` finds. */
export function bindLocks(select: BackendSelector, handles = new HandleClasses()): LockClasses {
  function define(base: unknown, definition: Definition): unknown {
    const { kind, noun, article, isGiven = false, parameter, parameterIs = '' } = definition;
    const { ownOptions = [], options: optionsOf = (first: unknown) => first } = definition;
    const describe = (contents: StateContents) =>
      `${article} with ${contents.parameter} ${parameterIs}`;

    function open(
      mode: QueueMode,
      name: string | undefined,
      given: unknown,
      options: unknown = {},
      alsoTakes: readonly string[] = [],
    ): Opened {
      const opening = { kind, article, mode, name, alsoTakes: [...ownOptions, ...alsoTakes] };
      const checked = checkStateOptions(options, opening);
      // Who opens what is there need not know what it was created with.
      const isCompared = isGiven && given !== undefined;
      const contents =
        mode === 'open'
          ? undefined
          : { byteLength: 0, schema: '', parameter: parameter?.(given, checked) ?? 0 };
      const state = openStateOf(
        select(checked.backend),
        opening,
        checked,
        contents,
        isCompared ? describe : () => article,
      );
      return new Opened(new StateHandle(noun, state), checked);
    }

    /** What comes before the options, and they. */
    const split = (args: unknown[]): [given: unknown, options: unknown] =>
      isGiven ? [args[0], args[1]] : [undefined, args[0]];
    const making =
      (mode: QueueMode) =>
      (name: unknown, ...args: unknown[]) =>
        new Bound(open(mode, checkName(name), ...split(args)));

    class Bound extends (base as HandleClass) {
      static readonly create = making('create');
      static readonly openOrCreate = making('openOrCreate');

      static open(name: unknown, options?: unknown): Handle {
        return new Bound(open('open', checkName(name), undefined, options));
      }

      static async openWhenAvailable(name: unknown, options?: WaitOptions): Promise<Handle> {
        const known = checkName(name);
        const look = () => {
          const { handle, options: given } = open('open', known, undefined, options, ALSO_WAITS);
          // Its `timeoutMs` is the time until it is available.
          return new Bound(new Opened(handle, { ...given, timeoutMs: undefined }));
        };
        return openWhenAvailable(look, known, options);
      }

      constructor(...args: unknown[]) {
        const [first] = args;
        const { handle, options } =
          first instanceof Opened
            ? first
            : open('anonymous', undefined, ...split([optionsOf(first), ...args.slice(1)]));
        try {
          super(handle, options);
        } catch (error) {
          handle.close();
          throw error;
        }
      }
    }
    handles.add(
      kind,
      (backend: Backend, ticket: Ticket) =>
        new Bound(new Opened(new StateHandle(noun, backend.openStateTicket(ticket, kind)), {})),
    );
    Object.defineProperty(Bound, 'name', { value: noun });
    return Bound;
  }

  const semaphore = { isGiven: true, parameter: permits, parameterIs: 'permits' };
  return {
    Lock: define(Lock, { kind: 'lock', noun: 'Lock', article: 'A lock' }) as LockConstructor,
    RLock: define(RLock, { kind: 'rlock', noun: 'RLock', article: 'An RLock' }) as RLockConstructor,
    Semaphore: define(Semaphore, {
      ...semaphore,
      kind: 'semaphore',
      noun: 'Semaphore',
      article: 'A semaphore',
    }) as SemaphoreConstructor<Semaphore>,
    BoundedSemaphore: define(BoundedSemaphore, {
      ...semaphore,
      kind: 'boundedSemaphore',
      noun: 'BoundedSemaphore',
      article: 'A bounded semaphore',
    }) as SemaphoreConstructor<BoundedSemaphore>,
    Condition: define(Condition, {
      kind: 'condition',
      noun: 'Condition',
      article: 'A condition',
      ownOptions: ['lock'],
      parameter: (_, options) => ('lock' in options && options.lock ? LOCK_IS_ANOTHER : 0),
      options: (first) =>
        first instanceof Lock || first instanceof RLock ? { lock: first } : first,
    }) as ConditionConstructor,
    Event: define(Event, { kind: 'event', noun: 'Event', article: 'An event' }) as EventConstructor,
    Barrier: define(Barrier, {
      kind: 'barrier',
      noun: 'Barrier',
      article: 'A barrier',
      ownOptions: ['action', 'timeoutMs'],
      isGiven: true,
      parameter: parties,
      parameterIs: 'parties',
    }) as BarrierConstructor,
    RWLock: define(RWLock, {
      kind: 'rwlock',
      noun: 'RWLock',
      article: 'An RWLock',
    }) as RWLockConstructor,
  };
}
