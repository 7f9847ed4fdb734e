import type { SharedObject, Side } from '../../contract/shared-object.js';
import { NO_TOKEN } from './addon.js';
import type { Addon, Constants, Token } from './addon.js';
import { waitInSlices } from './blocking.js';
import { guarded } from './failures.js';
import type { NativeThread, Rung } from './native-thread.js';

/** What native queues and states have in common: waits on the thread's doorbell, and an end. */
export abstract class NativeObject implements SharedObject, Rung {
  readonly name: string;
  /** Where it lives, wherever INTERPROC_DIR points to by now. */
  readonly directory: string;
  onReady: ((side: Side) => void) | undefined = undefined;

  protected readonly thread: NativeThread;
  protected readonly addon: Addon;
  protected readonly constants: Constants;
  #token: Token;
  readonly #armed: [boolean, boolean, boolean] = [false, false, false];
  #listening = false;
  #closed = false;

  constructor(thread: NativeThread, token: Token, name: string, directory: string) {
    this.name = name;
    this.directory = directory;
    this.thread = thread;
    this.addon = thread.addon;
    this.constants = thread.addon.constants;
    this.#token = token;
    thread.adopt(token, this);
  }

  /** NO_TOKEN once it is closed. */
  get token(): Token {
    return this.#token;
  }

  isOn(thread: NativeThread): boolean {
    return this.thread === thread;
  }

  /** Gives up a ticket of a message in it. */
  redeem(file: string): void {
    this.addon.redeemTicket(this.directory, file);
  }

  /** Whether a message may take a handle of it, or take it with it. @throws ERR_ENCODE */
  assertMovable(): void {}

  arm(side: Side): boolean {
    if (!this.#listening) {
      guarded(this.constants, this.name, () => this.addon.listen(this.#token));
      this.#listening = true;
    }
    if (this.addon.arm(this.#token, side) !== 0) return true;
    this.#armed[side] = true;
    this.thread.hold(this);
    return false;
  }

  disarm(side: Side): void {
    if (!this.#armed[side]) return;
    this.addon.disarm(this.#token, side);
    this.#disarmed(side);
  }

  rang(side: Side): void {
    this.#disarmed(side);
    this.onReady?.(side);
  }

  #disarmed(side: Side): void {
    this.#armed[side] = false;
    if (!this.#armed.includes(true)) this.thread.letGo(this);
  }

  waitSync(side: Side, timeoutMs: number): boolean {
    return waitInSlices(this.addon, this.#token, side, timeoutMs);
  }

  ref(): void {
    this.addon.setRef(this.#token, true);
  }

  unref(): void {
    this.addon.setRef(this.#token, false);
  }

  /** 0, which no object has, once it is closed. */
  identity(): bigint {
    return this.addon.identity(this.#token) ?? 0n;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.thread.release(this.#token, this);
    this.#token = NO_TOKEN;
  }

  unlink(): void {
    guarded(this.constants, this.name, () => this.addon.unlink(this.#token));
  }
}
