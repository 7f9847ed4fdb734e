/**
 * A thread's way to a hub: requests that are answered at once, words that want no answer, and bells.
 *
 * A request blocks until its reply is there. That is a round trip of some 20 us, and what a single look at shared memory is to
 * other backends: the objects see to it that a fast run of calls shares one. Nothing of the caller's runs meanwhile: bells that
 * come in are rung from the event loop.
 */

import { ERROR_CODES, InterprocError } from '../../../errors.js';
import type { ErrorCode } from '../../../errors.js';
import type { Side } from '../../../contract/shared-object.js';
import { FrameSplitter, FrameWriter, MAX_SEQUENCE } from '../frames.js';
import type { Body } from '../frames.js';
import type { Line } from '../line.js';
import { CLOSE, FAILURE, HELLO, PROTOCOL_VERSION, READY, REPLY } from '../operations.js';
import { giveBackAll, giveBackMessages, KEPT_MS } from './borrowed.js';
import { JournalWriter } from './journal-writer.js';
import { outboxWord } from './message-memory.js';

/** A hub that does not answer for so long is given up: it is stopped, or the machine stands still. */
const PATIENCE_MS = 30_000;
/** Of one sleep, so that V8 can end the thread in between. */
const SLICE_MS = 50;
/** Larger messages are not copied behind their header: they leave by a write of their own. */
const COPIED_BYTES = 2 ** 14;

const MAX_EPOCH = 2 ** 32 - 1;

/** What a link knows of an object. */
export interface Linked {
  /** The answer to a wait of that epoch has come; what the kind of object adds is read here. */
  answered(side: Side, epoch: number, body: Body): boolean;
  /** From the event loop, after `answered` said that somebody waits for it. */
  ring(side: Side): void;
  /** It cannot be rung for a while: the answer is somebody else's, and it will look anew when it is rung. */
  passOn(side: Side): void;
  /** Anything else that a hub says unasked. */
  told(operation: number, body: Body): void;
  /** The hub is gone: whoever waits is to look again. */
  lost(): void;
}

interface Bell {
  readonly object: Linked;
  readonly side: Side;
}

export interface LinkOptions {
  /**
   * How long a request may go without a reply, before the hub is taken for gone.
   * @default 30_000
   */
  readonly patienceMs?: number | undefined;
  /**
   * Whether words go to the journal from the first one on, however slowly they come: for tests.
   * @default false
   */
  readonly isJournalEager?: boolean | undefined;
}

export class Link {
  readonly #patienceMs: number;
  readonly #line: Line;
  readonly #journal: JournalWriter | undefined;
  readonly #writer = new FrameWriter();
  // Weak, so that a link keeps no forgotten handle alive; one with a pending wait is held by #waiting.
  readonly #objects = new Map<number, WeakRef<Linked>>();
  readonly #forgotten = new FinalizationRegistry<number>((handle) => this.#forget(handle));
  readonly #waiting = new Set<Linked>();
  readonly #refs = new Set<Linked>();
  #bells: Bell[] = [];
  #isRinging = false;
  /** In the middle of a request or of a wait that blocks. */
  #isBlocked = false;
  #sequence = 0;
  #awaited = 0;
  #reply: Body | undefined;
  #failure: InterprocError | undefined;
  #lost: InterprocError | undefined;
  #epoch = 0;

  /** @throws ERR_VERSION, ERR_BROKER */
  constructor(line: Line, { patienceMs = PATIENCE_MS, isJournalEager = false }: LinkOptions = {}) {
    this.#patienceMs = patienceMs;
    this.#line = line;
    if (line.openJournal !== undefined) {
      this.#journal = new JournalWriter(line, (error) => this.#end(error), isJournalEager);
    }
    const splitter = new FrameSplitter((handle, operation, sequence, body) =>
      this.#frame(handle, operation, sequence, body),
    );
    line.onBytes = (bytes) => {
      try {
        splitter.push(bytes);
      } catch (error) {
        this.#end(error as Error);
      }
      if (!this.#isBlocked) this.#ringAll();
    };
    line.onLost = (cause) => this.#end(cause);
    this.begin(0, HELLO).u32(PROTOCOL_VERSION).u32(process.pid);
    this.ask();
  }

  /** In the middle of a request: what comes was said before the hub read it. */
  get isAwaitingReply(): boolean {
    return this.#awaited !== 0 && this.#reply === undefined && this.#failure === undefined;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws ERR_BROKER if it is gone */
  assertThere(): void {
    if (this.#lost !== undefined) throw this.#lostError(this.#lost);
  }

  /** Begins what `ask` or `tell` will send: nothing else may be begun in between. @throws ERR_BROKER */
  begin(handle: number, operation: number): FrameWriter {
    this.assertThere();
    this.#writer.clear();
    this.#sequence = (this.#sequence % MAX_SEQUENCE) + 1;
    return this.#writer.begin(handle, operation, this.#sequence);
  }

  /** The same for what wants no reply. */
  beginTelling(handle: number, operation: number): FrameWriter {
    this.assertThere();
    this.#writer.clear();
    return this.#writer.begin(handle, operation, 0);
  }

  /** Sends what was begun, which wants no reply; with `rest` as the end of its body. @throws ERR_BROKER */
  tell(rest?: Uint8Array): void {
    this.#send(rest);
  }

  /**
   * As `tell`, for what nobody waits for: the hub may hear of it some milliseconds later, when such words come fast. `messages`: how
   * many it is about. @throws ERR_BROKER
   */
  tellSoon(messages: number): void {
    const writer = this.#writer;
    writer.end();
    this.#saySoon(writer.memory, 0, writer.length, messages);
  }

  /** The same of the word that stands in the outbox, about a single message. @throws ERR_BROKER */
  tellOutboxSoon(): void {
    this.assertThere();
    const { memory, beginning, length } = outboxWord;
    this.#saySoon(memory, beginning, length, 1);
  }

  /** `memory[begin, begin + length)` */
  #saySoon(memory: Buffer, begin: number, length: number, messages: number): void {
    const journal = this.#journal;
    try {
      if (journal?.say(memory, begin, length, messages) === true) return;
      this.#line.write(memory.subarray(begin, begin + length));
      if (journal?.isWorthHearing() === true) this.hear();
    } catch (error) {
      this.#throwLost(error as Error);
    }
  }

  /** As `tell`, for what concerns nobody once the hub is gone: who says it may be where no error can be caught. */
  tellIfThere(): void {
    try {
      this.tell();
    } catch {
      // What was open there is gone with it.
    }
  }

  /** Sends what was begun, and blocks until the reply is there, which is good until the next call of anything. @throws what the hub said */
  ask(rest?: Uint8Array): Body {
    this.#awaited = this.#sequence;
    this.#reply = undefined;
    this.#failure = undefined;
    this.#send(rest);
    const isAnswered = () => this.#reply !== undefined || this.#failure !== undefined;
    this.#block(isAnswered, this.#patienceMs, true);
    const reply = this.#reply as Body | undefined;
    this.#reply = undefined;
    this.#awaited = 0;
    const failure = this.#failure as InterprocError | undefined;
    if (failure !== undefined) throw failure;
    if (reply !== undefined) return reply;
    this.#end(new Error(`it has not answered for ${this.#patienceMs / 1000} s`));
    throw this.#lostError(this.#lost as unknown as InterprocError);
  }

  /** Blocks until `isOver`, which is asked whenever something came; false: the time has passed. @throws ERR_BROKER */
  waitUntil(isOver: () => boolean, timeoutMs: number): boolean {
    const hasRoom = giveBackMessages();
    let passed = 0;
    const isOverHere = () => {
      if (isOver()) return true;
      // Who waits in the event loop of this thread cannot use what has come for him: others may, and this thread may wait for them.
      for (; passed < this.#bells.length; passed++) {
        const { object, side } = this.#bells[passed] as Bell;
        object.passOn(side);
      }
      return false;
    };
    if (!hasRoom || timeoutMs <= KEPT_MS) return this.#block(isOverHere, timeoutMs);
    if (this.#block(isOverHere, KEPT_MS)) return true;
    giveBackAll();
    return this.#block(isOverHere, timeoutMs - KEPT_MS);
  }

  /** Hears what has come, without waiting. */
  hear(): void {
    const wasBlocked = this.#isBlocked;
    this.#isBlocked = true;
    try {
      this.#line.wait(0);
    } finally {
      this.#isBlocked = wasBlocked;
      if (this.#bells.length > 0) this.#ringSoon();
    }
  }

  adopt(handle: number, object: Linked): void {
    this.#objects.set(handle, new WeakRef(object));
    this.#forgotten.register(object, handle, object);
  }

  /** The handle is closed, here and at the hub. */
  release(handle: number, object: Linked): void {
    this.#forgotten.unregister(object);
    this.letGo(object);
    this.#forget(handle);
  }

  /** A number for a wait, which no other of this link has had for long. */
  nextEpoch(): number {
    this.#epoch = (this.#epoch % MAX_EPOCH) + 1;
    return this.#epoch;
  }

  /** While it waits, its bell must find it, whoever else has forgotten it. */
  hold(object: Linked, keepsAlive: boolean): void {
    this.#waiting.add(object);
    if (keepsAlive) this.#refs.add(object);
    else this.#refs.delete(object);
    this.#keepAlive();
  }

  letGo(object: Linked): void {
    this.#waiting.delete(object);
    this.#refs.delete(object);
    this.#keepAlive();
  }

  close(): void {
    this.#end(new Error('it was closed'));
  }

  #keepAlive(): void {
    if (this.#lost !== undefined) return;
    if (this.#refs.size > 0) this.#line.ref();
    else this.#line.unref();
  }

  #forget(handle: number): void {
    this.#objects.delete(handle);
    if (this.#lost !== undefined) return;
    this.beginTelling(handle, CLOSE);
    this.tellIfThere();
  }

  #send(rest: Uint8Array | undefined): void {
    const writer = this.#writer;
    const behind = rest !== undefined && rest.length > COPIED_BYTES ? rest : undefined;
    if (rest !== undefined && behind === undefined) writer.rest(rest);
    writer.end(behind?.length ?? 0);
    try {
      if (behind !== undefined) this.#journal?.leave();
      else if (this.#journal?.sayNow(writer.memory, 0, writer.length) === true) return;
      this.#line.write(writer.take());
      if (behind !== undefined) this.#line.write(behind);
    } catch (error) {
      this.#throwLost(error as Error);
    }
  }

  #throwLost(cause: Error): never {
    this.#end(cause);
    throw this.#lostError(this.#lost as unknown as InterprocError);
  }

  #block(isOver: () => boolean, timeoutMs: number, isForReply = false): boolean {
    const wasBlocked = this.#isBlocked;
    const deadline = performance.now() + timeoutMs;
    this.#isBlocked = true;
    try {
      for (;;) {
        if (isOver()) return true;
        this.assertThere();
        const left = deadline - performance.now();
        this.#line.wait(Math.max(0, Math.min(left, SLICE_MS)), isForReply);
        // Also when the time has passed it has looked: this thread may have been stopped meanwhile.
        if (left <= 0) return isOver();
      }
    } finally {
      this.#isBlocked = wasBlocked;
      if (this.#bells.length > 0) this.#ringSoon();
    }
  }

  #frame(handle: number, operation: number, sequence: number, body: Body): void {
    if (operation === REPLY || operation === FAILURE) {
      if (sequence !== this.#awaited) return;
      if (operation === REPLY) this.#reply = body;
      else this.#failure = failureIn(body);
      return;
    }
    if (handle === 0) {
      this.#journal?.told(operation, body);
      return;
    }
    const object = this.#objects.get(handle)?.deref();
    if (object === undefined) return;
    if (operation !== READY) {
      object.told(operation, body);
      return;
    }
    const side = body.u8() as Side;
    if (object.answered(side, body.u32(), body)) this.#bells.push({ object, side });
  }

  #ringSoon(): void {
    if (this.#isRinging) return;
    this.#isRinging = true;
    setImmediate(() => {
      this.#isRinging = false;
      this.#ringAll();
    });
  }

  #ringAll(): void {
    const bells = this.#bells;
    if (bells.length === 0) return;
    this.#bells = [];
    for (const { object, side } of bells) object.ring(side);
  }

  #end(cause: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost =
      cause instanceof InterprocError
        ? cause
        : new InterprocError('ERR_BROKER', cause.message, { cause });
    this.#line.close();
    this.#journal?.end();
    const objects = [...this.#objects.values()];
    // From the event loop: this may be the middle of a call.
    setImmediate(() => {
      for (const object of objects) object.deref()?.lost();
    });
  }

  /** A new one each time, with the stack of whoever meets it. */
  #lostError(cause: InterprocError): InterprocError {
    if (cause.code !== 'ERR_BROKER')
      return new InterprocError(cause.code, cause.message, { cause });
    return new InterprocError(
      'ERR_BROKER',
      `The broker that held it is gone (${cause.message}), and what was in it is lost; close this handle and open or create the object again`,
      { cause },
    );
  }
}

function failureIn(body: Body): InterprocError {
  const code = body.text();
  const message = body.text();
  const isKnown = Object.hasOwn(ERROR_CODES, code);
  return new InterprocError(isKnown ? (code as ErrorCode) : 'ERR_CORRUPT', message);
}
