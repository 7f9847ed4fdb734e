import { randomBytes } from 'node:crypto';

import type { Capabilities } from '../../contract/capabilities.js';
import { CHANNEL_DEFAULTS, DEFAULT_CODEC, defaultSideBytes } from '../../contract/channel.js';
import { PIPE_DEFAULTS } from '../../contract/pipe.js';
import type { PipeEnd, PipeOpener, PipeOptions } from '../../contract/pipe.js';
import { STATE_DEFAULTS } from '../../contract/state.js';
import type { State, StateKind, StateOptions } from '../../contract/state.js';
import { InterprocError, shown } from '../../errors.js';
import type { RingOpener, SpscByteRing, SpscOptions } from '../../contract/byte-ring.js';
import type {
  Backend,
  Channel,
  ChannelGeometry,
  ChannelOptions,
  OpenMode,
  Registry,
  SegmentInfo,
  SharedObject,
  Ticket,
} from '../../contract/channel.js';
import type {
  ClientEnd,
  ListenerEnd,
  ListenerOpener,
  ListenerOptions,
} from '../../contract/listener.js';
import { loadAddon } from './addon.js';
import type { ObjectOptions, Token } from './addon.js';
import { CAPABILITIES } from './capabilities.js';
import { guarded } from './failures.js';
import { NativeByteRing } from './native-byte-ring.js';
import { NativeChannel } from './native-channel.js';
import { NativeListener } from './native-listener.js';
import { NativeObject } from './native-object.js';
import { NativePipeEnd } from './native-pipe.js';
import { NativeState } from './native-state.js';
import { parseTicket } from './tickets.js';
import { NativePosix } from './native-posix.js';
import { NativeThread } from './native-thread.js';

const MODES: Readonly<Record<OpenMode, number>> = { create: 0, open: 1, openOrCreate: 2 };

/** Where the objects of this user live, unless INTERPROC_DIR says otherwise. Read at each use: tests move it. */
export function objectDirectory(): string {
  return process.env['INTERPROC_DIR'] ?? `/dev/shm/interproc-${process.geteuid?.() ?? 0}`;
}

function isAsked(variable: string): boolean {
  const asked = process.env[variable] ?? '';
  return asked !== '' && asked !== '0';
}

/** Whether this user wants leases copied, as they are where the runtime allows no ArrayBuffer over the queue's memory. */
function copiesLeases(): boolean {
  return isAsked('INTERPROC_COPY_LEASES');
}

/** The same of the bytes of values, arrays and memory. */
function copiesState(): boolean {
  return isAsked('INTERPROC_COPY_STATE');
}

/** The same of the rings of pipes. */
function copiesPipes(): boolean {
  return isAsked('INTERPROC_COPY_PIPES');
}

/** Of each direction: its positions are counted in 32 bits. */
const MAX_PIPE_BYTES = 2 ** 30;

/** Of a backlog's ring, for each client that waits in it: more than any ticket takes. */
const WAITING_CLIENT_BYTES = 256;

/** A name no user can choose. */
export function anonymousName(): string {
  return `~${randomBytes(12).toString('hex')}`;
}

/** Rounds up to what the ring can have: a power of two of at least one page. */
export function ringCapacity(capacityBytes: number, smallest: number): number {
  let capacity = smallest;
  while (capacity < capacityBytes) capacity *= 2;
  return capacity;
}

export class NativeBackend implements Backend, Registry, RingOpener, PipeOpener, ListenerOpener {
  readonly kind = 'native';
  readonly registry: Registry = this;
  readonly thread: NativeThread;
  readonly posix: NativePosix;

  /** Of what is opened; undefined: as INTERPROC_DIR says at that time. */
  readonly #directory: string | undefined;
  readonly #besides = new Map<string, NativeBackend>();

  constructor(directory?: string) {
    this.thread = NativeThread.of(loadAddon());
    this.posix = new NativePosix(this.thread.addon);
    this.#directory = directory;
  }

  get capabilities(): Capabilities {
    return copiesState() ? { ...CAPABILITIES, views: false } : CAPABILITIES;
  }

  beside(object: SharedObject): NativeBackend {
    if (!(object instanceof NativeObject) || object.directory === this.#directory) return this;
    const { directory } = object;
    let found = this.#besides.get(directory);
    if (found === undefined) this.#besides.set(directory, (found = new NativeBackend(directory)));
    return found;
  }

  get directory(): string {
    return this.#directory ?? objectDirectory();
  }

  readonly hasBroker = undefined;

  openChannel(name: string | undefined, mode: OpenMode, options: ChannelOptions): Channel {
    const { addon } = this.thread;
    const { constants } = addon;
    const capacityBytes = ringCapacity(
      options.capacityBytes ?? CHANNEL_DEFAULTS.capacityBytes,
      constants.minCapacity,
    );
    if (capacityBytes > constants.maxCapacity) {
      throw new InterprocError(
        'ERR_INVALID_ARG',
        `capacityBytes is ${options.capacityBytes}; a queue holds ${constants.maxCapacity} at most`,
      );
    }
    if (options.maxItems !== undefined && options.maxItems > constants.maxItems) {
      throw new InterprocError(
        'ERR_INVALID_ARG',
        `maxItems is ${options.maxItems}; a queue counts ${constants.maxItems} at most. Leave it out for no limit but the capacity`,
      );
    }
    const wanted: ObjectOptions = {
      capacityBytes,
      maxMessageBytes: Math.min(
        options.maxMessageBytes ?? Math.max(CHANNEL_DEFAULTS.maxMessageBytes, capacityBytes),
        constants.maxMessage,
      ),
      maxSideBytes: options.maxSideBytes ?? defaultSideBytes(capacityBytes),
      maxItems: options.maxItems ?? 0,
      maxDeliveries: options.maxDeliveries ?? 0,
      maxParticipants: options.maxParticipants ?? CHANNEL_DEFAULTS.maxParticipants,
      deadLetter: options.deadLetter ?? '',
      codec: options.codec ?? CHANNEL_DEFAULTS.codec,
      persist: options.persist ?? false,
      anonymous: name === undefined,
    };
    const fullName = name ?? anonymousName();
    const what = `${mode} '${name ?? '(anonymous)'}'`;
    const directory = this.directory;
    const token = guarded(constants, what, () =>
      addon.openQueue(directory, fullName, MODES[mode], wanted),
    );
    const found = this.#assertAgreement(what, token, mode, options, wanted);
    return new NativeChannel(
      this.thread,
      token,
      fullName,
      directory,
      toGeometry(found),
      copiesLeases(),
    );
  }

  /** What the object has. If that is not what was asked for, it is closed. @throws ERR_MISMATCH */
  #assertAgreement(
    what: string,
    token: Token,
    mode: OpenMode,
    asked: ChannelOptions,
    wanted: ObjectOptions,
  ): ObjectOptions {
    const { addon } = this.thread;
    const found = addon.geometry(token);
    const difference = mode === 'create' ? undefined : disagreement(asked, wanted, found);
    if (difference === undefined) return found;
    addon.close(token);
    throw new InterprocError(
      'ERR_MISMATCH',
      `${what}: ${difference}; pass the options it was created with, or none`,
    );
  }

  openTicket(ticket: Ticket, codec?: string): Channel {
    const known = parseTicket(ticket);
    if (known === undefined) {
      throw new InterprocError('ERR_DECODE', `${shown(ticket)} is no handle of a queue`);
    }
    const channel = this.openChannel(known.name, 'open', {}) as NativeChannel;
    const isSame = channel.identity() === known.object;
    const its = channel.geometry.codec;
    if (isSame && (codec === undefined || codec === its)) return channel;
    channel.close();
    if (isSame) {
      throw new InterprocError(
        'ERR_MISMATCH',
        `The queue '${known.name}' that was in the message has the codec '${its}', not '${codec}'`,
      );
    }
    throw new InterprocError(
      'ERR_NOT_FOUND',
      `The queue '${known.name}' that was in the message is gone; another has its name`,
    );
  }

  openState(
    name: string | undefined,
    mode: OpenMode,
    options: StateOptions,
    initial?: Uint8Array,
  ): State {
    const { addon } = this.thread;
    const { constants } = addon;
    if (options.byteLength > constants.maxState) {
      throw new InterprocError(
        'ERR_INVALID_ARG',
        `${options.byteLength} bytes; an object holds ${constants.maxState} at most`,
      );
    }
    if (Buffer.byteLength(options.schema) > constants.maxSchemaBytes) {
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `The description of its type takes ${Buffer.byteLength(options.schema)} bytes; there is room for ${constants.maxSchemaBytes}`,
      );
    }
    const fullName = name ?? anonymousName();
    const what = `${mode} '${name ?? '(anonymous)'}'`;
    const wanted = { ...options, anonymous: name === undefined };
    const token = guarded(constants, what, () =>
      addon.openState(this.directory, fullName, MODES[mode], wanted, initial),
    );
    const geometry = Object.freeze(addon.stateGeometry(token));
    return new NativeState(this.thread, token, fullName, this.directory, geometry, copiesState());
  }

  openStateTicket(ticket: Ticket, kind: StateKind): State {
    const known = parseTicket(ticket);
    if (known === undefined) {
      throw new InterprocError('ERR_DECODE', `${shown(ticket)} is no handle of a ${kind}`);
    }
    const state = this.openState(known.name, 'open', {
      kind,
      byteLength: 0,
      schema: '',
      parameter: 0,
      persist: false,
      maxParticipants: STATE_DEFAULTS.maxParticipants,
    });
    if (state.identity() === known.object) return state;
    state.close();
    throw new InterprocError(
      'ERR_NOT_FOUND',
      `The ${kind} '${known.name}' that was in the message is gone; another has its name`,
    );
  }

  openPipe(options: PipeOptions): [PipeEnd, PipeEnd] {
    const { addon } = this.thread;
    const { constants } = addon;
    const { capacityBytes, maxMessageBytes } = { ...PIPE_DEFAULTS, ...defined(options) };
    assertPipeCapacity(capacityBytes);
    const wanted = {
      capacityBytes: ringCapacity(capacityBytes, constants.minCapacity),
      maxMessageBytes: Math.min(maxMessageBytes, constants.maxMessage),
      codec: options.codec ?? DEFAULT_CODEC,
      duplex: options.duplex ?? true,
    };
    const name = anonymousName();
    const open = (mode: 0 | 1) =>
      guarded(constants, 'a new pipe', () => addon.openPipe(this.directory, name, mode, wanted));
    const first = this.#pipeEnd(open(0), name);
    try {
      return [first, this.#pipeEnd(open(1), name)];
    } catch (error) {
      first.close();
      throw error;
    }
  }

  openPipeTicket(ticket: Ticket): PipeEnd {
    const { addon } = this.thread;
    const known = parseTicket(ticket);
    if (known === undefined) {
      throw new InterprocError('ERR_DECODE', `${shown(ticket)} is no end of a pipe`);
    }
    const token = guarded(addon.constants, `the end of pipe '${known.name}' in a message`, () =>
      addon.openPipeTicket(this.directory, known.file),
    );
    return this.#pipeEnd(token, known.name);
  }

  #pipeEnd(token: Token, name: string): NativePipeEnd {
    return new NativePipeEnd(this.thread, token, name, this.directory, copiesPipes());
  }

  openListener(name: string, options: ListenerOptions): ListenerEnd {
    const { addon } = this.thread;
    const { constants } = addon;
    const { capacityBytes, maxMessageBytes } = { ...PIPE_DEFAULTS, ...defined(options) };
    assertPipeCapacity(capacityBytes);
    const wanted = {
      backlog: options.backlog,
      ringBytes: ringCapacity(options.backlog * WAITING_CLIENT_BYTES, constants.minCapacity),
      isKeyed: options.isKeyed,
      codec: options.codec,
      capacityBytes: ringCapacity(capacityBytes, constants.minCapacity),
      maxMessageBytes: Math.min(maxMessageBytes, constants.maxMessage),
    };
    const token = guarded(constants, `listen on '${name}'`, () =>
      addon.openListener(this.directory, name, wanted),
    );
    return this.#listener(token, name);
  }

  openBacklog(name: string): ClientEnd {
    const { addon } = this.thread;
    const token = guarded(addon.constants, `connect to '${name}'`, () =>
      addon.openBacklog(this.directory, name),
    );
    return this.#listener(token, name);
  }

  #listener(token: Token, name: string): NativeListener {
    const listener: NativeListener = new NativeListener(
      this.thread,
      token,
      name,
      this.directory,
      (ticket) => this.beside(listener).openPipeTicket(ticket),
    );
    return listener;
  }

  openSpsc(name: string, mode: OpenMode, options: SpscOptions): SpscByteRing {
    const { addon } = this.thread;
    const { constants } = addon;
    const capacityBytes = ringCapacity(
      options.capacityBytes ?? CHANNEL_DEFAULTS.capacityBytes,
      constants.minCapacity,
    );
    const wanted = {
      capacityBytes,
      maxMessageBytes: Math.min(capacityBytes, constants.maxMessage),
      maxSideBytes: 0,
      maxItems: 0,
      maxDeliveries: 0,
      maxParticipants: 2,
      deadLetter: '',
      codec: 'raw',
      persist: options.persist ?? false,
      anonymous: false,
      producer: options.role === 'producer',
    };
    const what = `${mode} ${options.role} of '${name}'`;
    const token = guarded(constants, what, () =>
      addon.openSpsc(this.directory, name, MODES[mode], wanted),
    );
    const { capacityBytes: capacity, persist } = options;
    const asked = { capacityBytes: capacity, persist };
    this.#assertAgreement(what, token, mode, asked, wanted);
    return new NativeByteRing(this.thread, token, name, options.role);
  }

  list(): SegmentInfo[] {
    const { addon } = this.thread;
    const entries = guarded(addon.constants, 'list', () => addon.list(this.directory));
    return entries.map((entry) => ({ ...entry, problem: entry.problem }));
  }

  prune(options: { readonly dryRun: boolean }): string[] {
    const { addon } = this.thread;
    return guarded(addon.constants, 'prune', () => addon.prune(this.directory, options.dryRun));
  }
}

/** Without the members that are undefined. */
function defined(
  options: PipeOptions,
): Partial<Record<'capacityBytes' | 'maxMessageBytes', number>> {
  const { capacityBytes, maxMessageBytes } = options;
  return {
    ...(capacityBytes === undefined ? {} : { capacityBytes }),
    ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
  };
}

/** @throws ERR_INVALID_ARG */
function assertPipeCapacity(capacityBytes: number): void {
  if (capacityBytes <= MAX_PIPE_BYTES) return;
  throw new InterprocError(
    'ERR_INVALID_ARG',
    `capacityBytes is ${capacityBytes}; a pipe holds ${MAX_PIPE_BYTES} at most`,
  );
}

function toGeometry(found: ObjectOptions): ChannelGeometry {
  return Object.freeze({
    ...found,
    deadLetter: found.deadLetter === '' ? undefined : found.deadLetter,
  });
}

/** The first of the options given that is not what the object has. */
function disagreement(
  given: ChannelOptions,
  wanted: ObjectOptions,
  found: ObjectOptions,
): string | undefined {
  for (const key of Object.keys(given) as (keyof ChannelOptions)[]) {
    if (given[key] !== undefined && wanted[key] !== found[key]) {
      return `${key} is ${JSON.stringify(found[key])} there, ${JSON.stringify(given[key])} was asked for`;
    }
  }
  return undefined;
}
