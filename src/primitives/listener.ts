import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { InterprocError } from '../errors.js';
import type { AuthenticationError } from '../errors.js';
import { ACCEPT } from '../contract/listener.js';
import type { ListenerEnd } from '../contract/listener.js';
import type { PipeEnd } from '../contract/pipe.js';
import type { Codec } from '../codec/codec.js';
import { CallReadiness } from './call-readiness.js';
import { Connection, OpenedEnd } from './connection.js';
import { admit } from './handshake.js';
import type { Authentication } from './listener-options.js';
import { keepFromTravelling } from './passengers.js';
import type { Arrive } from './passengers.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';
import { QueueIterator } from './queue-iterator.js';
import type { MessageSource } from './message-source.js';
import { WAITABLE } from './waitable.js';
import type { Readiness, Waitable } from './waitable.js';
import { signalOf, timeoutOf } from './wait-options.js';
import type { WaitOptions } from './wait-options.js';

/** A listener as a backend opened it. */
export class OpenedListener<T> {
  constructor(
    readonly end: ListenerEnd,
    readonly codec: Codec<T>,
    readonly arrive: Arrive,
    readonly authentication: Authentication,
    readonly onRejected: ((error: InterprocError) => void) | undefined,
  ) {}
}

// Handshakes that go on at once: each holds a pipe open. Further clients stay in the backlog.
const MOST_HANDSHAKES = 256;

// Accepting what waits already never leaves V8's microtasks; a turn of the event loop is little beside so many new connections.
const ACCEPTS_PER_TURN = 16;

let isListener: (object: object) => boolean;

/**
 * A name where this process accepts connections, from any processes of this user that `Pipe.connect` to it.
 *
 * *Clients.* Up to `backlog` of them wait to be accepted, first come first served. What a client sent before that is not lost. A
 * client that has gone meanwhile is accepted too: what it sent can be received, then comes the end.
 *
 * *Authentication.* With an `authkey` each client has to prove that it knows the key, and is proved that this listener does. That is done
 * while an `accept` waits, with many clients at a time, so that one which does not answer is in nobody's way. One that fails is counted in `rejected`.
 *
 * *The end.* `close()`, and the death of this process however it comes, remove the name, and end the connections of clients that were
 * not accepted yet. Accepted ones are not concerned.
 *
 * *Waiting.* A pending `accept` keeps the process alive (see `unref`), an idle listener does not.
 */
export class Listener<T = unknown>
  implements AsyncIterable<Connection<T>, undefined, void>, Waitable
{
  readonly #end: ListenerEnd;
  readonly #opened: OpenedListener<T>;
  readonly #waits: PendingWaits;
  readonly #accept: Operation<Connection<T>>;
  readonly #iterators = new Set<ListenerIterator<T>>();
  readonly #closing = new AbortController();
  /** Authenticated, and to be handed to who accepts next. */
  readonly #ready: Connection<T>[] = [];
  /** Ends of clients that are to authenticate themselves. */
  readonly #candidates = new Set<PipeEnd>();
  #rejected = 0;
  #lastAccepted: number | undefined;
  #isRefd = true;
  #isClosed = false;
  #accepts = 0;

  static {
    isListener = (object) => #end in object;
  }

  /** Listeners are made by `Pipe.listen`. */
  constructor(opened: OpenedListener<T>) {
    const { end } = opened;
    this.#end = end;
    this.#opened = opened;
    this.#accept = { attempt: () => this.#take() };
    // With as many handshakes as may be, one of them has to end first, and then says so.
    const isFree = () => this.#candidates.size < MOST_HANDSHAKES;
    const waitedFor = {
      name: end.name,
      arm: (side: typeof ACCEPT) => isFree() && end.arm(side),
      disarm: (side: typeof ACCEPT) => end.disarm(side),
    };
    const waits = new PendingWaits(waitedFor, ACCEPT, `Nobody connected to '${end.name}'`);
    this.#waits = waits;
    end.onReady = () => waits.rung();
  }

  /**
   * The next connection, from the client that has waited longest.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the listener closes while it waits; ERR_NO_SPACE,
   * ERR_SYSTEM (no file descriptor is left, say), and the client goes on waiting
   */
  accept(options?: WaitOptions): Promise<Connection<T>> {
    try {
      this.#assertOpen();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      const connection = signal?.aborted === true ? NOT_YET : this.#acceptNow();
      if (connection !== NOT_YET) return Promise.resolve(connection);
      return this.#waits.add(this.#accept, timeoutMs, signal, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Every connection until the listener is closed. One is accepted per step, when it is asked for: `break` loses none.
   *
   * @throws (rejects) as `accept`, without ERR_CLOSED
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Connection<T>, undefined, void> {
    this.#assertOpen();
    const source: MessageSource<Connection<T>> = {
      assertOpen: () => this.#assertOpen(),
      takeNow: () => this.#acceptNow(),
      take: () => this.#take(),
      isTurnDue: () => this.#isTurnDue(),
      waits: this.#waits,
    };
    const iterator = new ListenerIterator(source, this.#iterators);
    this.#iterators.add(iterator);
    return iterator;
  }

  /** @internal */
  get [WAITABLE](): Readiness {
    return new CallReadiness(this.#waits, () => this.#isReady());
  }

  /** What clients connect to. */
  get name(): string {
    return this.#end.name;
  }

  /** Clients that wait to be accepted. */
  get waiting(): number {
    this.#assertOpen();
    return this.#end.size() + this.#ready.length;
  }

  /** Clients that were turned away because they did not authenticate themselves. */
  get rejected(): number {
    return this.#rejected;
  }

  /** The process id of the client that was accepted last, as it says itself; undefined before the first. */
  get lastAccepted(): number | undefined {
    return this.#lastAccepted;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /**
   * Removes the name and ends the connections of clients that were not accepted. Pending calls reject with ERR_CLOSED, iteration ends.
   * Again: nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const end = this.#end;
    try {
      end.unlink();
    } finally {
      // In this order: nobody may come any more when the backlog is emptied.
      end.end();
      for (const iterator of this.#iterators) void iterator.return();
      this.#waits.rejectAll(() => this.#closedError());
      this.#closing.abort();
      for (const client of this.#candidates) client.close();
      for (const connection of this.#ready.splice(0)) connection.close();
      end.onReady = undefined;
      this.#turnAwayAll();
      end.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Lets pending calls keep this process alive again, as they do from the beginning. */
  ref(): this {
    this.#assertOpen();
    this.#isRefd = true;
    this.#end.ref();
    return this;
  }

  /** Lets this process end although calls are pending. */
  unref(): this {
    this.#assertOpen();
    this.#isRefd = false;
    this.#end.unref();
    return this;
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const { codec, authentication } = this.#opened;
    const facts = {
      name: this.name,
      ...(this.#isClosed ? { closed: true } : { waiting: this.waiting }),
      backlog: this.#end.terms.backlog,
      codec: codec.name,
      ...(authentication.key === undefined ? {} : { rejected: this.#rejected }),
    };
    return `Listener ${inspect(facts, options)}`;
  }

  // Accepting

  #acceptNow(): Connection<T> | NotYet {
    this.#assertOpen();
    if (!this.#waits.isIdle || this.#waits.isLooking || this.#isTurnDue()) return NOT_YET;
    return this.#take();
  }

  #isTurnDue(): boolean {
    return this.#accepts >= ACCEPTS_PER_TURN;
  }

  /** One look. */
  #take(): Connection<T> | NotYet {
    if (this.#isTurnDue()) this.#accepts = 0;
    const ready = this.#ready.shift();
    if (ready !== undefined) return this.#accepted(ready);
    const { key } = this.#opened.authentication;
    if (key !== undefined) {
      this.#beginAll(key);
      return NOT_YET;
    }
    const client = this.#end.tryAccept();
    if (typeof client === 'number') return NOT_YET;
    this.#lastAccepted = this.#end.clientPid;
    return this.#accepted(this.#connection(client));
  }

  /** Whether an `accept` would not have to wait; starts the handshakes that it would wait for. */
  #isReady(): boolean {
    this.#assertOpen();
    const { key } = this.#opened.authentication;
    if (key === undefined) return this.#end.size() > 0;
    if (this.#ready.length === 0) this.#beginAll(key);
    return this.#ready.length > 0;
  }

  #accepted(connection: Connection<T>): Connection<T> {
    this.#accepts++;
    return connection;
  }

  #connection(end: PipeEnd): Connection<T> {
    const { codec, arrive } = this.#opened;
    return new Connection(new OpenedEnd(end, codec, arrive));
  }

  // Authenticating

  #beginAll(key: Uint8Array): void {
    while (this.#candidates.size < MOST_HANDSHAKES) {
      const client = this.#end.tryAccept();
      if (typeof client === 'number') return;
      this.#begin(client, this.#end.clientPid, key);
    }
  }

  #begin(client: PipeEnd, pid: number, key: Uint8Array): void {
    this.#candidates.add(client);
    void this.#authenticate(client, pid, key).finally(() => {
      this.#candidates.delete(client);
      if (!this.#isClosed) this.#waits.came();
    });
  }

  async #authenticate(client: PipeEnd, pid: number, key: Uint8Array): Promise<void> {
    const { name } = this;
    if (!this.#isRefd) client.unref();
    try {
      const { handshakeMs } = this.#opened.authentication;
      await admit({ end: client, name, key }, handshakeMs, this.#closing.signal);
    } catch (error) {
      client.close();
      if (!this.#isClosed) this.#turnedAway(error as AuthenticationError);
      return;
    }
    // Closed with the listener.
    if (this.#isClosed) return;
    client.ref();
    this.#lastAccepted = pid;
    this.#ready.push(this.#connection(client));
  }

  #turnedAway(error: AuthenticationError): void {
    this.#rejected++;
    const { onRejected } = this.#opened;
    // Outside of any promise, so that what it throws is an uncaught exception like that of any listener.
    if (onRejected !== undefined) process.nextTick(onRejected, error);
  }

  // Closing

  #turnAwayAll(): void {
    for (;;) {
      let client: PipeEnd | number;
      try {
        client = this.#end.tryAccept();
      } catch {
        // It cannot be had, for lack of a descriptor, say: it ends with the backlog.
        return;
      }
      if (typeof client === 'number') return;
      client.close();
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): InterprocError {
    return new InterprocError(
      'ERR_CLOSED',
      `Listener '${this.name}' was closed here; listen again with Pipe.listen`,
    );
  }
}

/** Ends when the listener is closed. */
class ListenerIterator<T> extends QueueIterator<Connection<T>> {
  readonly #all: Set<ListenerIterator<T>>;

  constructor(source: MessageSource<Connection<T>>, all: Set<ListenerIterator<T>>) {
    super(source);
    this.#all = all;
  }

  override return(): Promise<IteratorResult<Connection<T>, undefined>> {
    this.#all.delete(this);
    return super.return();
  }
}

keepFromTravelling(
  'Listener',
  (object) => isListener(object),
  'send a connection that it has accepted',
);
