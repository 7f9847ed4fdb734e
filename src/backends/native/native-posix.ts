import { constants as limits } from 'node:buffer';
import { constants as system } from 'node:os';

import { InterprocError } from '../../errors.js';
import type { ErrorCode } from '../../errors.js';
import type { OpenMode } from '../../contract/channel.js';
import type {
  PosixMemory,
  PosixMemoryOptions,
  PosixOpener,
  PosixSemaphore,
  PosixSemaphoreOptions,
} from '../../contract/posix.js';
import type { Addon, Token } from './addon.js';
import { guarded, statusError } from './failures.js';

const MODES: Readonly<Record<OpenMode, number>> = { create: 0, open: 1, openOrCreate: 2 };

/** Whether there are to be no ArrayBuffers over shared memory, as in runtimes that allow none. */
function refusesBuffers(): boolean {
  const asked = process.env['INTERPROC_COPY_BUFFERS'] ?? '';
  return asked !== '' && asked !== '0';
}

/** The way out for objects that belong to the system, and to programs that know nothing of us. */
function adviceOf(code: ErrorCode, errno: number | undefined): string | undefined {
  if (errno === system.errno.ENOMEM) {
    return 'ask for less, close what is no longer used, or raise the limit of mappings (vm.max_map_count)';
  }
  switch (code) {
    case 'ERR_EXISTS':
      return 'open() it, use openOrCreate(), or unlink() what an earlier run left behind';
    case 'ERR_NOT_FOUND':
      return 'whoever owns it must create it first; or use openOrCreate()';
    case 'ERR_PERMISSION':
      return 'it belongs to another user, was created with another mode, or is something else altogether';
    case 'ERR_NO_SPACE':
      return 'make room in /dev/shm, enlarge it (in Docker: --shm-size), or ask for less';
    case 'ERR_KIND':
      return 'choose another name';
    case 'ERR_CORRUPT':
      return 'try again; if it stays like this, its maker has died: unlink() it';
    case 'ERR_TIMEOUT':
      return 'try again';
    case 'ERR_INVALID_ARG':
      return 'choose a shorter one';
    default:
      return undefined;
  }
}

/** A token that is closed once: by `close`, or when nobody can reach its owner any more. */
class Held {
  readonly token: Token;
  readonly #forgotten: FinalizationRegistry<Token>;
  readonly #close: (token: Token) => void;

  constructor(
    owner: object,
    token: Token,
    forgotten: FinalizationRegistry<Token>,
    close: (token: Token) => void,
  ) {
    this.token = token;
    this.#forgotten = forgotten;
    this.#close = close;
    forgotten.register(owner, token, this);
  }

  close(): void {
    this.#forgotten.unregister(this);
    this.#close(this.token);
  }
}

/** By its memory, which all arrays over it lead to: who keeps one of them keeps it mapped. */
const memoryOf = new WeakMap<ArrayBuffer, NativePosixMemory>();

/** The methods of ArrayBuffers that would leave the memory in hands from which `close()` cannot take it back. */
const TRANSFERS = ['transfer', 'transferToFixedLength'] as const;

class NativePosixMemory implements PosixMemory {
  readonly byteLength: number;
  readonly readOnly: boolean;
  readonly #name: string;
  readonly #addon: Addon;
  readonly #held: Held;
  #buffer: ArrayBuffer | undefined;

  constructor(
    name: string,
    readOnly: boolean,
    addon: Addon,
    token: Token,
    forgotten: FinalizationRegistry<Token>,
  ) {
    this.#name = name;
    this.readOnly = readOnly;
    this.#addon = addon;
    this.byteLength = addon.posixMemoryBytes(token);
    this.#held = new Held(this, token, forgotten, addon.posixCloseMemory);
  }

  buffer(): ArrayBuffer {
    return (this.#buffer ??= this.#makeBuffer());
  }

  #makeBuffer(): ArrayBuffer {
    const { byteLength } = this;
    if (this.readOnly) {
      throw this.#noBuffer(
        'is open for reading only, and a store to an ArrayBuffer over it would end the process',
      );
    }
    if (byteLength > limits.MAX_LENGTH) {
      throw this.#noBuffer(
        `has ${byteLength} bytes, and an ArrayBuffer ${limits.MAX_LENGTH} at most`,
      );
    }
    const buffer = refusesBuffers() ? undefined : this.#addon.posixMemoryBuffer(this.#held.token);
    if (buffer === undefined) {
      throw this.#noBuffer(
        'cannot be had as an ArrayBuffer: this runtime allows none over memory that is not its own',
      );
    }
    for (const method of TRANSFERS) {
      if (!(method in buffer)) continue;
      Object.defineProperty(buffer, method, {
        value: () => {
          throw new InterprocError(
            'ERR_UNSUPPORTED',
            `${this.#name}: ${method}() would take the memory away from its handle; copy it (slice()), or open '${this.#name}' where it is wanted`,
          );
        },
      });
    }
    memoryOf.set(buffer, this);
    return buffer;
  }

  #noBuffer(why: string): InterprocError {
    return new InterprocError(
      'ERR_UNSUPPORTED',
      `buffer: '${this.#name}' ${why}; use read() and write()`,
    );
  }

  read(target: Uint8Array, offset: number): void {
    this.#copied(this.#addon.posixReadMemory(this.#held.token, target, offset));
  }

  write(bytes: Uint8Array, offset: number): void {
    this.#copied(this.#addon.posixWriteMemory(this.#held.token, bytes, offset));
  }

  #copied(result: number): void {
    if (result !== 0) throw statusError(this.#addon.constants, -result, this.#name);
  }

  close(): void {
    this.#held.close();
  }
}

/**
 * One native wait, which ends after 50 ms at the latest. A function of its own, for V8 ends a thread (`worker.terminate()`)
 * where a function is entered.
 */
function waitSlice(addon: Addon, token: Token, milliseconds: number): boolean {
  return addon.posixWait(token, milliseconds) === 1;
}

class NativePosixSemaphore implements PosixSemaphore {
  readonly #name: string;
  readonly #addon: Addon;
  readonly #held: Held;

  constructor(name: string, addon: Addon, token: Token, forgotten: FinalizationRegistry<Token>) {
    this.#name = name;
    this.#addon = addon;
    this.#held = new Held(this, token, forgotten, addon.posixCloseSemaphore);
  }

  tryWait(): boolean {
    return this.#addon.posixTryWait(this.#held.token) === 1;
  }

  waitSync(timeoutMs: number): boolean {
    const addon = this.#addon;
    const { token } = this.#held;
    const deadline = performance.now() + timeoutMs;
    for (let left = timeoutMs; left > 0; left = deadline - performance.now()) {
      if (waitSlice(addon, token, left)) return true;
    }
    return this.tryWait();
  }

  post(): void {
    const addon = this.#addon;
    const result = addon.posixPost(this.#held.token);
    if (result === 0) return;
    if (result === -addon.constants.full) {
      throw new InterprocError(
        'ERR_FULL',
        `post(): semaphore '${this.#name}' has ${addon.constants.maxSemaphoreValue} permits, as many as it may; somebody posts without having waited`,
        { errno: system.errno.EOVERFLOW, syscall: 'sem_post' },
      );
    }
    throw statusError(addon.constants, -result, this.#name);
  }

  value(): number {
    return this.#addon.posixValue(this.#held.token);
  }

  close(): void {
    this.#held.close();
  }
}

/** The system's shared memory and semaphores, through the addon. */
export class NativePosix implements PosixOpener {
  readonly #addon: Addon;
  readonly #forgottenMemories: FinalizationRegistry<Token>;
  readonly #forgottenSemaphores: FinalizationRegistry<Token>;

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#forgottenMemories = new FinalizationRegistry((token) => addon.posixCloseMemory(token));
    this.#forgottenSemaphores = new FinalizationRegistry((token) =>
      addon.posixCloseSemaphore(token),
    );
  }

  get maxSemaphoreValue(): number {
    return this.#addon.constants.maxSemaphoreValue;
  }

  openMemory(name: string, mode: OpenMode, options: PosixMemoryOptions): PosixMemory {
    const { byteLength = 0, permissions, readOnly } = options;
    const addon = this.#addon;
    const what = `${mode} shared memory '${name}'`;
    const token = this.#guarded(what, () =>
      addon.posixOpenMemory(name, MODES[mode], byteLength, permissions, readOnly),
    );
    const memory = new NativePosixMemory(name, readOnly, addon, token, this.#forgottenMemories);
    if (mode === 'openOrCreate' && memory.byteLength !== byteLength) {
      memory.close();
      throw new InterprocError(
        'ERR_MISMATCH',
        `${what}: it is there and has ${memory.byteLength} bytes, ${byteLength} were asked for; open() it, or unlink() it first`,
      );
    }
    return memory;
  }

  unlinkMemory(name: string): void {
    this.#guarded(`unlink shared memory '${name}'`, () => this.#addon.posixUnlinkMemory(name));
  }

  openSemaphore(name: string, mode: OpenMode, options: PosixSemaphoreOptions): PosixSemaphore {
    const { value, permissions } = options;
    const addon = this.#addon;
    const token = this.#guarded(`${mode} semaphore '${name}'`, () =>
      addon.posixOpenSemaphore(name, MODES[mode], value, permissions),
    );
    return new NativePosixSemaphore(name, addon, token, this.#forgottenSemaphores);
  }

  unlinkSemaphore(name: string): void {
    this.#guarded(`unlink semaphore '${name}'`, () => this.#addon.posixUnlinkSemaphore(name));
  }

  #guarded<T>(what: string, call: () => T): T {
    return guarded(this.#addon.constants, what, call, adviceOf);
  }
}
