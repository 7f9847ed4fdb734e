import type { Backend, BackendKind, Channel, OpenMode } from '../contract/channel.js';
import type { Codec, CustomCodec } from '../codec/codec.js';
import { codecFor, codecNamed, codecOfSchema } from '../codec/resolve-codec.js';
import type { StructType } from '../shapes/struct.js';
import { checkName } from './name.js';
import { openWhenAvailable } from './open-when-available.js';
import { HandleClasses } from './passengers.js';
import { OpenedQueue, Queue, TRAVELS_AS } from './queue.js';
import { channelOptions, checkOptionNames } from './queue-options.js';
import type { QueueMode, QueueOptions } from './queue-options.js';
import type { WaitOptions } from './wait-options.js';

/** Finds the backend that an option names; undefined: the default one. */
export type BackendSelector = (kind: BackendKind | undefined) => Backend;

/** Options of a queue that carries values of any type: one with the codec `'structured'` or `'json'`. */
export interface ValueQueueOptions extends QueueOptions {
  readonly codec?: 'structured' | 'json' | undefined;
}

/** A codec that says by its type what it carries. */
type TypedCodec<T> = CustomCodec<T> | StructType<T, unknown>;

/** `Queue.create`, `Queue.open` and `Queue.openOrCreate`: the codec decides what the queue carries. */
export interface OpenQueue {
  (name: string, options: QueueOptions & { readonly codec: 'raw' }): Queue<Uint8Array>;
  (name: string, options: QueueOptions & { readonly codec: 'string' }): Queue<string>;
  <T>(name: string, options: QueueOptions<T> & { readonly codec: TypedCodec<T> }): Queue<T>;
  <T = unknown>(name: string, options?: ValueQueueOptions): Queue<T>;
  /** Where the type of the options leaves the codec open. */
  (name: string, options: QueueOptions): Queue;
}

/** `Queue.openWhenAvailable`. */
export interface OpenQueueWhenAvailable {
  (
    name: string,
    options: QueueOptions & WaitOptions & { readonly codec: 'raw' },
  ): Promise<Queue<Uint8Array>>;
  (
    name: string,
    options: QueueOptions & WaitOptions & { readonly codec: 'string' },
  ): Promise<Queue<string>>;
  <T>(
    name: string,
    options: QueueOptions<T> & WaitOptions & { readonly codec: TypedCodec<T> },
  ): Promise<Queue<T>>;
  <T = unknown>(name: string, options?: ValueQueueOptions & WaitOptions): Promise<Queue<T>>;
  (name: string, options: QueueOptions & WaitOptions): Promise<Queue>;
}

/** The class `Queue` as users see it. */
export interface QueueConstructor {
  /**
   * An anonymous queue: no name, and it goes with its last participant.
   *
   * @throws ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  new (options: QueueOptions & { readonly codec: 'raw' }): Queue<Uint8Array>;
  new (options: QueueOptions & { readonly codec: 'string' }): Queue<string>;
  new <T>(options: QueueOptions<T> & { readonly codec: TypedCodec<T> }): Queue<T>;
  new <T = unknown>(options?: ValueQueueOptions): Queue<T>;
  new (options: QueueOptions): Queue;
  readonly prototype: Queue;

  /**
   * A new queue.
   *
   * @throws ERR_EXISTS if an object of this name is there; ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  readonly create: OpenQueue;
  /**
   * A queue that is there. Options need not be repeated.
   *
   * @throws ERR_NOT_FOUND; ERR_KIND if it is no queue; ERR_MISMATCH if options disagree with what it was
   * created with, or its custom codec is not given; ERR_VERSION, ERR_CORRUPT, ERR_NO_SLOT, ERR_INVALID_ARG,
   * ERR_PERMISSION
   */
  readonly open: OpenQueue;
  /**
   * The queue that is there, or else a new one: of several processes that call it at once, one creates it.
   *
   * @throws as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS
   */
  readonly openOrCreate: OpenQueue;
  /**
   * The queue, as soon as some process has created it. The wait keeps this process alive.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; else as `open`, without ERR_NOT_FOUND
   */
  readonly openWhenAvailable: OpenQueueWhenAvailable;
}

type AnyOptions = QueueOptions<never>;

/** The class `Queue`, whose queues live on the backends that `select` finds. */
export function bindQueue(
  select: BackendSelector,
  handles = new HandleClasses(),
): QueueConstructor {
  function open(
    name: string | undefined,
    mode: QueueMode,
    options: AnyOptions = {},
    alsoWaits = false,
  ): OpenedQueue<unknown> {
    checkOptionNames(options, alsoWaits);
    const given = options.codec === undefined ? undefined : codecFor<unknown>(options.codec);
    const wanted = channelOptions(options, mode, name, given?.name);
    const openMode: OpenMode = mode === 'anonymous' ? 'create' : mode;
    const backend = select(options.backend);
    return opened(backend, backend.openChannel(name, openMode, wanted), given);
  }

  function opened(
    backend: Backend,
    channel: Channel,
    given: Codec<unknown> | undefined,
  ): OpenedQueue<unknown> {
    try {
      const codec = given ?? codecNamed(channel.geometry.codec, `Queue '${channel.name}'`);
      const home = backend.beside(channel);
      return new OpenedQueue(home, channel, codec, handles.arriveOn(home));
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  const openNamed = (mode: OpenMode) => (name: unknown, options?: AnyOptions) =>
    new BoundQueue(open(checkName(name), mode, options));

  class BoundQueue extends Queue {
    static readonly create = openNamed('create');
    static readonly open = openNamed('open');
    static readonly openOrCreate = openNamed('openOrCreate');

    static async openWhenAvailable(
      name: unknown,
      options?: AnyOptions & WaitOptions,
    ): Promise<Queue> {
      const known = checkName(name);
      return openWhenAvailable(
        () => new BoundQueue(open(known, 'open', options, true)),
        known,
        options,
      );
    }

    constructor(options?: AnyOptions | OpenedQueue<unknown>) {
      super(options instanceof OpenedQueue ? options : open(undefined, 'anonymous', options));
    }
  }
  handles.add(TRAVELS_AS, (backend, ticket, schema) => {
    const codec = schema === undefined ? undefined : codecOfSchema(schema);
    return new BoundQueue(opened(backend, backend.openTicket(ticket, codec?.name), codec));
  });
  Object.defineProperty(BoundQueue, 'name', { value: 'Queue' });
  return BoundQueue as unknown as QueueConstructor;
}
