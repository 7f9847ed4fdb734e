import { InterprocError } from '../errors.js';
import type { State } from '../contract/state.js';
import { lacking } from './lacking.js';

/** One handle of an object of state: open until it is closed. */
export class StateHandle {
  readonly state: State;
  /** What it is called in messages: 'Value'. */
  readonly kind: string;
  /** Whether pending waits keep the process alive. */
  isRefd = true;
  #isClosed = false;

  constructor(kind: string, state: State) {
    this.kind = kind;
    this.state = state;
  }

  get name(): string {
    return this.state.name;
  }

  /** As messages call it: "Value 'n'". */
  get what(): string {
    return `${this.kind} '${this.name}'`;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws ERR_CLOSED */
  assertOpen(): void {
    if (this.#isClosed) throw this.closedError();
  }

  /** Before `call`, which may block. @throws ERR_CLOSED, ERR_UNSUPPORTED */
  assertCanBlock(call: string): void {
    this.assertOpen();
    if (this.state.capabilities.blocking) return;
    throw lacking(call, 'blocking', `the backend of ${this.what}`);
  }

  /** @throws ERR_CLOSED */
  open(): State {
    this.assertOpen();
    return this.state;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.state.onReady = undefined;
    this.state.close();
  }

  closedError(): InterprocError {
    return new InterprocError('ERR_CLOSED', `${this.what} was closed here; open it again`);
  }
}
