import { createHash } from 'node:crypto';
import { isUint8Array } from 'node:util/types';

import { InterprocError, invalidArgument } from '../errors.js';
import { MAX_BACKLOG } from '../contract/listener.js';
import { LARGEST_OF_HANDSHAKE } from './handshake.js';
import { checkCount, MAX_COUNT } from './count.js';
import type { PipeOptions } from './pipe-options.js';
import type { WaitOptions } from './wait-options.js';

/** How the two sides of a connection find out whether they may trust each other. */
export interface AuthenticationOptions {
  /**
   * A secret that both sides have: each proves to the other that it knows it, and it never leaves either of them. A text counts
   * as its UTF-8 bytes. Should be random, 16 bytes or more: whoever takes part in a handshake can try out words afterwards.
   * @default undefined: whoever may open the objects of this user at all may connect
   */
  readonly authkey?: string | Uint8Array | undefined;
  /**
   * Milliseconds that the other side may take for its part of the handshake, once it has begun.
   * @default 10000
   */
  readonly handshakeTimeoutMs?: number | undefined;
}

/** How `Pipe.listen` listens. Clients need not repeat what they do not want to insist on, but a key, a Struct or a codec of their own. */
export interface ListenerOptions<T = unknown>
  extends Omit<PipeOptions<T>, 'duplex'>, AuthenticationOptions {
  /**
   * Clients that may wait to be accepted: 1-4096. Further ones wait for room, or are refused.
   * @default 64
   */
  readonly backlog?: number | undefined;
  /** Is told why a client was turned away that did not authenticate itself. What it throws is an uncaught exception. */
  readonly onRejected?: ((error: InterprocError) => void) | undefined;
}

/** How `Pipe.connect` connects. */
export interface ConnectOptions<T = unknown>
  extends
    Pick<PipeOptions<T>, 'codec' | 'backend'>,
    AuthenticationOptions,
    Pick<WaitOptions, 'signal'> {
  /**
   * Milliseconds from the call that it waits: for somebody to listen, for room in his backlog, and, with an `authkey`, until he
   * has accepted. 0 looks once.
   * @default undefined: it fails at once if nobody listens or the backlog is full, and waits for ever for him to accept
   */
  readonly timeoutMs?: number | undefined;
}

const SHARED_NAMES = ['codec', 'backend', 'authkey', 'handshakeTimeoutMs'] as const;
const LISTENER_NAMES: readonly (keyof ListenerOptions)[] = [
  ...SHARED_NAMES,
  'capacityBytes',
  'maxMessageBytes',
  'backlog',
  'onRejected',
];
const CONNECT_NAMES: readonly (keyof ConnectOptions)[] = [...SHARED_NAMES, 'timeoutMs', 'signal'];

const DEFAULT_BACKLOG = 64;
const DEFAULT_HANDSHAKE_MS = 10_000;

export function checkListenerOptionNames(options: unknown): void {
  checkNames(options, LISTENER_NAMES, 'A listener', 'an object such as { backlog: 64 }');
}

export function checkConnectOptionNames(options: unknown): void {
  checkNames(options, CONNECT_NAMES, 'Pipe.connect', 'an object such as { timeoutMs: 100 }');
}

/** A misspelt option would be a default in silence. @throws ERR_INVALID_ARG */
function checkNames(options: unknown, names: readonly string[], what: string, takes: string): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', takes, options);
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `${what} has no option '${name}'; it has ${names.join(', ')}`,
    );
  }
}

/** What the listener decides by itself. @throws ERR_INVALID_ARG */
export function listenerOptions(options: ListenerOptions<never>): {
  readonly backlog: number;
  readonly capacityBytes: number | undefined;
  readonly maxMessageBytes: number | undefined;
  readonly onRejected: ((error: InterprocError) => void) | undefined;
} {
  const { onRejected, authkey, maxMessageBytes } = options;
  if (authkey !== undefined && (maxMessageBytes ?? Infinity) < LARGEST_OF_HANDSHAKE) {
    throw invalidArgument(
      'maxMessageBytes',
      `${LARGEST_OF_HANDSHAKE} or more beside an authkey, which takes messages of that size`,
      maxMessageBytes,
    );
  }
  if (onRejected !== undefined && typeof onRejected !== 'function') {
    throw invalidArgument('onRejected', 'a function', onRejected);
  }
  return {
    backlog: checkCount('backlog', options.backlog, MAX_BACKLOG) ?? DEFAULT_BACKLOG,
    capacityBytes: checkCount('capacityBytes', options.capacityBytes, Number.MAX_SAFE_INTEGER),
    maxMessageBytes: checkCount('maxMessageBytes', options.maxMessageBytes, MAX_COUNT),
    onRejected,
  };
}

export interface Authentication {
  readonly key: Uint8Array | undefined;
  readonly handshakeMs: number;
}

/** The key is a copy. @throws ERR_INVALID_ARG, without the key in its message */
export function authenticationOf(options: AuthenticationOptions): Authentication {
  const { authkey, handshakeTimeoutMs: handshakeMs = DEFAULT_HANDSHAKE_MS } = options;
  if (typeof handshakeMs !== 'number' || !Number.isFinite(handshakeMs) || handshakeMs <= 0) {
    throw invalidArgument(
      'handshakeTimeoutMs',
      'a finite number of milliseconds above 0',
      handshakeMs,
    );
  }
  return { key: keyOf(authkey), handshakeMs };
}

function keyOf(authkey: unknown): Uint8Array | undefined {
  if (authkey === undefined) return undefined;
  if (typeof authkey !== 'string' && !isUint8Array(authkey)) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `authkey takes a string or a Uint8Array; received ${authkey === null ? 'null' : `a ${typeof authkey}`}`,
    );
  }
  if (authkey.length === 0) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      'authkey takes a secret of one byte at least; received an empty one. Leave it out to authenticate nobody',
    );
  }
  // Hashed: a MAC pads keys with zeros, so that one with zeros at its end would be the same without them.
  return createHash('sha256').update(authkey).digest();
}
