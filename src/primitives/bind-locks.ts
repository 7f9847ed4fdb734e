import { invalidArgument } from '../errors.js';
import type { Backend, Ticket } from '../contract/channel.js';
import type { StateKind } from '../contract/state.js';
import type { BackendSelector } from './bind-queue.js';
import { Lock } from './lock.js';
import { checkName } from './name.js';
import { openWhenAvailable } from './open-when-available.js';
import { HandleClasses } from './passengers.js';
import type { QueueMode } from './queue-options.js';
import { RLock } from './rlock.js';
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

export interface LockClasses {
  readonly Lock: LockConstructor;
  readonly RLock: RLockConstructor;
  readonly Semaphore: SemaphoreConstructor<Semaphore>;
  readonly BoundedSemaphore: SemaphoreConstructor<BoundedSemaphore>;
}

/** What tells one class from the others. */
interface Definition {
  readonly kind: StateKind;
  /** The class's own name. */
  readonly noun: string;
  readonly article: string;
  /** Of the argument before the options: the number that the object keeps. Undefined: there is none. */
  readonly parameter?: (given: unknown) => number;
  /** What that number is called. */
  readonly parameterIs?: string;
  /** Options that are not for the backend. */
  readonly ownOptions?: readonly string[];
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
    const { kind, noun, article, parameter, parameterIs = '', ownOptions = [] } = definition;
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
      const isParameterKnown = mode !== 'open' && (given !== undefined || mode !== 'openOrCreate');
      const contents = { byteLength: 0, schema: '', parameter: parameter?.(given) ?? 0 };
      const state = openStateOf(
        select(checked.backend),
        opening,
        checked,
        mode === 'open' ? undefined : contents,
        isParameterKnown ? describe : () => article,
      );
      return new Opened(new StateHandle(noun, state), checked);
    }

    /** What comes before the options, and they. */
    const split = (args: unknown[]): [given: unknown, options: unknown] =>
      parameter === undefined ? [undefined, args[0]] : [args[0], args[1]];
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
        return openWhenAvailable(
          () => new Bound(open('open', known, undefined, options, ALSO_WAITS)),
          known,
          options,
        );
      }

      constructor(...args: unknown[]) {
        const [first] = args;
        const { handle, options } =
          first instanceof Opened ? first : open('anonymous', undefined, ...split(args));
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

  const semaphore = { parameter: permits, parameterIs: 'permits' };
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
  };
}
