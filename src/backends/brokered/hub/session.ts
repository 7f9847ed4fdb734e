/** One client of a hub: what it has open, what it asks, and what it is told. */

import { InterprocError } from '../../../errors.js';
import { Body, FrameSplitter, FrameWriter, MAX_BODY_BYTES, PLAIN_BODY_BYTES } from '../frames.js';
import type { Outlet } from '../line.js';
import {
  CHANNEL_OPERATIONS,
  CLOSE,
  FAILURE,
  HELLO,
  JOURNAL,
  JOURNAL_EMPTY,
  JOURNAL_GO,
  JOURNAL_UP_TO,
  OPEN_STATE,
  PROTOCOL_VERSION,
  REPLY,
  WANT_JOURNAL,
} from '../operations.js';
import { ViewedBytes } from '../viewed-bytes.js';
import type { Attachment } from './hub-object.js';
import { fail } from './fail.js';
import type { Catalogue } from './catalogue.js';
import type { Hub } from './hub.js';
import { Journal } from './journals.js';
import type { JournalOwner } from './journals.js';
import type { StateFiles } from './state-files.js';
import { UnsentTickets } from './unsent-tickets.js';

/** Most that one client may have open. */
const MAX_HANDLES = 2 ** 20;
const GREETING_BYTES = 64;
/** Replies to what came in one piece are not collected beyond that. */
const COLLECTED_BYTES = 2 ** 16;

/** For replies that nobody wants. */
const nowhere = new FrameWriter();

interface Held {
  readonly handle: number;
  readonly operation: number;
  readonly sequence: number;
  readonly body: Body;
}

export class Session implements JournalOwner {
  readonly catalogue: Catalogue;
  readonly tickets: UnsentTickets;
  readonly files: StateFiles | undefined;
  /** Its process, as it says itself. */
  pid = 0;
  readonly #hub: Hub;
  readonly #outlet: Outlet;
  readonly #splitter: FrameSplitter;
  readonly #out = new FrameWriter();
  readonly #attachments = new Map<number, Attachment>();
  #handles = 0;
  #isGreeted = false;
  /** The client does not read what it is sent. What it has said meanwhile waits. */
  #isClogged = false;
  #unread: Buffer[] = [];
  /** A request that came, and is served when the hub has caught up. */
  #held: Held | undefined;
  #journal: Journal | undefined;
  /** It was to be looked at, and what came before it could not be heard. */
  #owesLook = false;
  /** The client is gone: its words still count. */
  #isGone = false;
  #isOver = false;

  constructor(hub: Hub, outlet: Outlet) {
    this.#hub = hub;
    this.#outlet = outlet;
    this.catalogue = hub.catalogue;
    this.tickets = new UnsentTickets(hub.catalogue);
    this.files = hub.files;
    this.#splitter = this.#newSplitter();
  }

  #newSplitter(): FrameSplitter {
    return new FrameSplitter(
      (handle, operation, sequence, body) => {
        if (sequence === 0) this.#serve(handle, operation, sequence, body);
        else if (this.#isGone) return;
        else if (this.#hub.isShared && this.#outlet.catchUp !== undefined) {
          this.#hold(handle, operation, sequence, body);
        } else this.#serve(handle, operation, sequence, body);
      },
      (handle, operation) => this.#longest(handle, operation),
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What came over the line. Who says what cannot be is let go. */
  receive(bytes: Buffer): void {
    // What others said before comes first, so that who is told of something by another way, and goes on from there, comes behind it.
    this.#hub.journals.hear();
    if (this.#isOver) return;
    // The line may use its memory again.
    if (this.#isStopped) this.#unread.push(Buffer.from(bytes));
    else this.#read(() => this.#split(bytes));
  }

  /** The client has read most of what it was sent. */
  resume(): void {
    this.#isClogged = false;
    if (this.#held === undefined) this.#readOn();
  }

  #readOn(): void {
    if (this.#journal?.isEnding === true) {
      const journal = this.#journal;
      this.#read(() => journal.hear());
      if (this.#isStopped) return;
    }
    const unread = this.#unread;
    this.#unread = [];
    for (const bytes of unread) this.receive(bytes);
    if (!this.#owesLook || this.#isStopped) return;
    this.#owesLook = false;
    this.#hub.journals.add(this);
  }

  /** Nothing more of what has come can be heard now. */
  get #isStopped(): boolean {
    return this.#isClogged || this.#held !== undefined;
  }

  #read(step: () => void): void {
    try {
      step();
    } catch {
      this.#hearNothingMore();
      this.#hub.settle();
      this.flush();
      this.#letGo();
    }
    this.#hub.settle();
  }

  #letGo(): void {
    this.#hearNothingMore();
    // First, for it hears what a line that is closed has left.
    this.lost();
    this.#outlet.close();
  }

  #hearNothingMore(): void {
    this.#unread = [];
    this.#journal?.close();
  }

  #split(bytes: Buffer): void {
    const left = this.#splitter.push(bytes, this.#isEnough);
    if (left.length > 0) this.#unread.push(Buffer.from(left));
  }

  readonly #isEnough = (): boolean => {
    if (this.#out.length >= COLLECTED_BYTES) this.flush();
    return this.#isStopped;
  };

  // What it says in its journal

  hearJournal(): boolean {
    const journal = this.#journal;
    if (journal?.isOpen !== true) return false;
    if (this.#isStopped) {
      this.#owesLook = true;
      return false;
    }
    const { hasLease } = journal;
    this.#read(() => journal.hear());
    return hasLease || this.#isStopped;
  }

  #makeJournal(): void {
    if (this.#journal !== undefined) fail('ERR_CORRUPT', 'It has a journal');
    const source = this.#outlet.makeJournal?.();
    this.#journal = source && new Journal(source, this.#newSplitter(), this.#isEnough);
    const path = source?.path ?? '';
    this.later(() => this.beginPush(0, JOURNAL).text(path).end());
  }

  #goOnInJournal(): void {
    this.#journalOf('JOURNAL_GO').go();
    this.#hub.journals.add(this);
    this.later(() => this.hearJournal());
  }

  /** The line goes on behind what was appended until then. */
  #endJournalAt(end: number): void {
    this.#journalOf('JOURNAL_UP_TO').endAt(end, () =>
      this.later(() => this.beginPush(0, JOURNAL_EMPTY).end()),
    );
  }

  #journalOf(operation: string): Journal {
    return this.#journal ?? fail('ERR_CORRUPT', `${operation} without a journal`);
  }

  /** Until what others said before it has been heard: whoever asks may know of that. */
  #hold(handle: number, operation: number, sequence: number, body: Body): void {
    const kept = new ViewedBytes(Buffer.from(body.rest()));
    this.#held = { handle, operation, sequence, body: new Body(kept, 0, kept.bytes.length) };
    this.#outlet.catchUp?.(() => this.#serveHeld());
  }

  #serveHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#isOver) return;
    this.#hub.journals.hear();
    // Its own may have said what cannot be.
    if (this.#isOver) return;
    this.#read(() => this.#serve(held.handle, held.operation, held.sequence, held.body));
    if (!this.#isClogged) this.#readOn();
  }

  /** Of a body: only what may carry a message may be large. */
  #longest(handle: number, operation: number): number {
    if (!this.#isGreeted) return GREETING_BYTES;
    if (handle === 0) return operation === OPEN_STATE ? MAX_BODY_BYTES : PLAIN_BODY_BYTES;
    const attachment = operation >= CHANNEL_OPERATIONS ? this.#attachments.get(handle) : undefined;
    return attachment?.longestBody ?? PLAIN_BODY_BYTES;
  }

  /** Its line is gone, and most likely its process. `unread`: what it had said, and the line has not handed over. */
  lost(unread: readonly Buffer[] = []): void {
    if (this.#isGone) return;
    this.#unread.push(...unread);
    this.#isGone = true;
    this.#held = undefined;
    this.#isClogged = false;
    // As before what is received: what others said comes first.
    this.#hub.journals.hear();
    this.#hearLastWords();
    this.#journal?.close();
    this.#hub.journals.remove(this);
    this.#isOver = true;
    for (const attachment of this.#attachments.values()) attachment.close();
    this.tickets.redeemAll();
    this.#hub.left(this);
    this.#hub.settle();
  }

  /** Of one that did not read what it was sent, so that nothing it said was read either. */
  #hearLastWords(): void {
    const unread = this.#unread;
    this.#unread = [];
    try {
      if (this.#journal?.isEnding === true) this.#journal.hear();
      for (const bytes of unread) this.#splitter.push(bytes);
      if (this.#journal?.isOpen === true) this.#journal.hear();
    } catch {
      // It said what cannot be.
    }
  }

  attach(attachment: Attachment): number {
    if (this.#attachments.size >= MAX_HANDLES) {
      fail('ERR_NO_SLOT', `This process has ${MAX_HANDLES} handles open; close some`);
    }
    const handle = ++this.#handles;
    this.#attachments.set(handle, attachment);
    return handle;
  }

  detach(handle: number): void {
    this.#attachments.delete(handle);
  }

  /** @throws ERR_CLOSED */
  attached(handle: number): Attachment {
    return this.#attachments.get(handle) ?? fail('ERR_CLOSED', `Handle ${handle} is closed`);
  }

  /** When what is being read has been. */
  later(action: () => void): void {
    this.#hub.later(() => this.attempt(action));
  }

  /** In a while, also if the client is gone by then. What follows from it is seen to as if it had been read. */
  after(ms: number, action: () => void): void {
    this.#hub.after(ms, () => this.attempt(action));
  }

  /** Does what concerns this client alone: where it fails, he is let go, and nobody else hears of it. */
  attempt(action: () => void): void {
    try {
      action();
    } catch {
      this.#letGo();
    }
  }

  /** A frame that nobody asked for, from within an action of `later`; to be ended. */
  beginPush(handle: number, operation: number): FrameWriter {
    this.#hub.willFlush(this);
    return this.#out.begin(handle, operation, 0);
  }

  flush(): void {
    if (this.#out.length === 0) return;
    const frames = this.#out.takeAway();
    // Who is told of something finds it in the files.
    this.#hub.files?.flush();
    if (!this.#isGone && this.#outlet.write(frames) === false) this.#isClogged = true;
  }

  #serve(handle: number, operation: number, sequence: number, body: Body): void {
    if (!this.#isGreeted) this.#assertGreeting(handle, operation);
    // Who asked and has given up is not to be surprised by what comes of it. A word is to be kept, whoever said it.
    if (sequence !== 0 && this.#outlet.isDeserted?.() === true) {
      fail('ERR_BROKER', 'Nobody waits for the reply');
    }
    if (sequence === 0) {
      // A word that is refused has no answer: who said it is out of step with us.
      this.#dispatch(handle, operation, body, nowhere);
      nowhere.clear();
      return;
    }
    const reply = this.#out.begin(handle, REPLY, sequence);
    try {
      this.#dispatch(handle, operation, body, reply);
    } catch (error) {
      reply.abandon();
      if (!(error instanceof InterprocError)) throw error;
      this.#out.begin(handle, FAILURE, sequence).text(error.code).text(error.message).end();
      this.#hub.willFlush(this);
      return;
    }
    reply.end();
    this.#hub.willFlush(this);
  }

  #dispatch(handle: number, operation: number, body: Body, reply: FrameWriter): void {
    if (handle === 0) {
      if (operation === HELLO) this.#greet(body, reply);
      else if (operation === WANT_JOURNAL) this.#makeJournal();
      else if (operation === JOURNAL_GO) this.#goOnInJournal();
      else if (operation === JOURNAL_UP_TO) this.#endJournalAt(body.u32());
      else this.#hub.serve(this, operation, body, reply);
      return;
    }
    const attachment = this.#attachments.get(handle);
    if (attachment === undefined) {
      // It was closed while this was on its way.
      if (operation !== CLOSE) fail('ERR_CLOSED', `Handle ${handle} is closed`);
    } else if (operation === CLOSE) attachment.close();
    else attachment.serve(operation, body, reply);
  }

  #assertGreeting(handle: number, operation: number): void {
    if (handle !== 0 || operation !== HELLO) fail('ERR_CORRUPT', 'It begins without a greeting');
  }

  #greet(body: Body, reply: FrameWriter): void {
    const version = body.u32();
    this.pid = body.u32();
    if (version !== PROTOCOL_VERSION) {
      fail(
        'ERR_VERSION',
        `This version of interproc speaks protocol ${version}, and the broker that runs here ${PROTOCOL_VERSION}; let the programs of the other version end first`,
      );
    }
    this.#isGreeted = true;
    reply.u32(PROTOCOL_VERSION);
  }
}
