import { InterprocError } from '../errors.js';
import { DEFAULT_CODEC } from '../contract/channel.js';
import type { Backend } from '../contract/channel.js';
import type {
  ListenerOptions as BackendListenerOptions,
  ListenerEnd,
  ListenerOpener,
} from '../contract/listener.js';
import type { PipeOpener } from '../contract/pipe.js';
import type { Codec } from '../codec/codec.js';
import { codecFor, codecNamed } from '../codec/resolve-codec.js';
import { connectionOf } from './bind-pipe.js';
import type { PipeFunction, TypedCodec } from './bind-pipe.js';
import type { BackendSelector } from './bind-queue.js';
import { connect } from './connecting.js';
import type { Connection } from './connection.js';
import { assertCapable } from './lacking.js';
import { Listener, OpenedListener } from './listener.js';
import {
  authenticationOf,
  checkConnectOptionNames,
  checkListenerOptionNames,
  listenerOptions,
} from './listener-options.js';
import type { ConnectOptions, ListenerOptions } from './listener-options.js';
import { checkName } from './name.js';
import { HandleClasses } from './passengers.js';
import { signalOf, timeoutOf } from './wait-options.js';

/** `Pipe.listen`. */
export interface Listen {
  (name: string, options: ListenerOptions & { readonly codec: 'raw' }): Listener<Uint8Array>;
  (name: string, options: ListenerOptions & { readonly codec: 'string' }): Listener<string>;
  <T>(name: string, options: ListenerOptions<T> & { readonly codec: TypedCodec<T> }): Listener<T>;
  <T = unknown>(
    name: string,
    options?: ListenerOptions & { readonly codec?: 'structured' | 'json' | undefined },
  ): Listener<T>;
  (name: string, options: ListenerOptions): Listener;
}

/** `Pipe.connect`. */
export interface Connect {
  (
    name: string,
    options: ConnectOptions & { readonly codec: 'raw' },
  ): Promise<Connection<Uint8Array>>;
  (
    name: string,
    options: ConnectOptions & { readonly codec: 'string' },
  ): Promise<Connection<string>>;
  <T>(
    name: string,
    options: ConnectOptions<T> & { readonly codec: TypedCodec<T> },
  ): Promise<Connection<T>>;
  <T = unknown>(
    name: string,
    options?: ConnectOptions & { readonly codec?: 'structured' | 'json' | undefined },
  ): Promise<Connection<T>>;
  (name: string, options: ConnectOptions): Promise<Connection>;
}

/** How unrelated processes meet: `Pipe.listen` and `Pipe.connect`. */
export interface Meetings {
  /**
   * Listens under a name, which any process of this user may connect to, until the listener is closed or this process dies: then
   * the name is free again, also after a kill.
   *
   * @throws ERR_EXISTS if somebody listens there, or something else has the name; ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION;
   * ERR_UNSUPPORTED where the backend has no listeners
   *
   * @example
   * ```ts
   * import { Pipe } from 'interproc';
   *
   * const listener = Pipe.listen('control', { authkey: 'a secret of both' });
   * const connecting = Pipe.connect('control', { authkey: 'a secret of both', timeoutMs: 1000 });
   * const server = await listener.accept();
   * const client = await connecting;
   * await client.send('are you there?');
   * await server.recv(); // => 'are you there?'
   * client.close();
   * server.close();
   * listener.close();
   * ```
   */
  readonly listen: Listen;
  /**
   * A connection to whoever listens under that name. It resolves as soon as this client waits in the backlog, before it is
   * accepted: what it sends by then is not lost, and if the listener closes or dies without accepting it, the connection ends. With an
   * `authkey` it resolves once it is accepted and each side has proved to the other that it knows the key.
   *
   * @throws (rejects) ERR_NOT_FOUND if nobody listens and ERR_FULL if the backlog is full, both without `timeoutMs` only; ERR_TIMEOUT;
   * the signal's reason; ERR_AUTH; ERR_KIND if the name is something else's; ERR_MISMATCH if the listener has another codec, or one
   * that must be given; ERR_INVALID_ARG, ERR_VERSION, ERR_CORRUPT, ERR_NO_SPACE, ERR_PERMISSION, ERR_UNSUPPORTED
   */
  readonly connect: Connect;
}

/** `Pipe` as users see it. */
export type PipeNamespace = PipeFunction & Meetings;

/** @throws ERR_UNSUPPORTED */
function listenersOf(backend: Backend, call: string): ListenerOpener & PipeOpener {
  assertCapable(backend, 'listeners', call);
  return backend as Backend & ListenerOpener & PipeOpener;
}

/** `Pipe.listen` and `Pipe.connect`, whose pipes live on the backends that `select` finds. */
export function bindListeners(select: BackendSelector, handles = new HandleClasses()): Meetings {
  function listen(name: unknown, options: ListenerOptions<never> = {}): Listener {
    const known = checkName(name);
    checkListenerOptionNames(options);
    const { onRejected, ...wanted } = listenerOptions(options);
    const authentication = authenticationOf(options);
    const codec = codecFor<unknown>(options.codec ?? DEFAULT_CODEC);
    const isKeyed = authentication.key !== undefined;
    const backend = select(options.backend);
    const end = openListener(listenersOf(backend, 'Pipe.listen'), known, {
      ...wanted,
      isKeyed,
      codec: codec.name,
    });
    const arrive = handles.arriveOn(backend.beside(end));
    return new Listener(new OpenedListener(end, codec, arrive, authentication, onRejected));
  }

  async function connectTo(
    name: unknown,
    options: ConnectOptions<never> = {},
  ): Promise<Connection> {
    const known = checkName(name);
    checkConnectOptionNames(options);
    const given = options.codec === undefined ? undefined : codecFor<unknown>(options.codec);
    const backend = select(options.backend);
    let codec = given;
    const end = await connect(listenersOf(backend, 'Pipe.connect'), {
      name: known,
      authentication: authenticationOf(options),
      timeoutMs: options.timeoutMs === undefined ? undefined : timeoutOf(options),
      signal: signalOf(options),
      agree: (terms) => {
        codec = agreedCodec(known, terms.codec, given);
      },
    });
    return connectionOf(end, () => codec as Codec<unknown>, handles.arriveOn(backend.beside(end)));
  }

  return { listen: listen as Listen, connect: connectTo as Connect };
}

/** The backend's, with an error that says what the name is used for. @throws ERR_EXISTS */
function openListener(
  backend: ListenerOpener,
  name: string,
  options: BackendListenerOptions,
): ListenerEnd {
  try {
    return backend.openListener(name, options);
  } catch (cause) {
    if (!(cause instanceof InterprocError) || cause.code !== 'ERR_EXISTS') throw cause;
    throw new InterprocError(
      'ERR_EXISTS',
      `Somebody listens on '${name}' already, or it is another kind of object (list() tells); choose another name, or Pipe.connect to it`,
      { cause },
    );
  }
}

/** @throws ERR_MISMATCH */
function agreedCodec(
  name: string,
  theirs: string,
  given: Codec<unknown> | undefined,
): Codec<unknown> {
  const what = `Listener '${name}'`;
  if (given === undefined) return codecNamed(theirs, what);
  if (given.name === theirs) return given;
  throw new InterprocError(
    'ERR_MISMATCH',
    `${what} has the codec '${theirs}', not '${given.name}'; pass the one that it has, or none`,
  );
}
