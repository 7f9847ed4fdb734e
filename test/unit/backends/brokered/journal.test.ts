/** Words that go by a journal: that none is lost, doubled or out of order, whatever else happens. */

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { MockInstance } from 'vitest';

import { PUT_PROMISED, SIZE } from '../../../../src/backends/brokered/channel-operations.js';
import { FrameWriter } from '../../../../src/backends/brokered/frames.js';
import { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import { JournalWatch } from '../../../../src/backends/brokered/hub/journals.js';
import type { Session } from '../../../../src/backends/brokered/hub/session.js';
import {
  JOURNAL_BYTES,
  LEASE_MS,
  LONGEST_WORD,
} from '../../../../src/backends/brokered/journal.js';
import type { JournalSource } from '../../../../src/backends/brokered/journal.js';
import type { Line } from '../../../../src/backends/brokered/line.js';
import {
  CLOSE,
  JOURNAL_GO,
  JOURNAL_UP_TO,
  LIST,
  OPEN_CHANNEL,
  WANT_JOURNAL,
} from '../../../../src/backends/brokered/operations.js';
import { ownTime } from '../../../../src/backends/brokered/own-time.js';
import { Link } from '../../../../src/backends/brokered/remote/link.js';
import { openChannel } from '../../../../src/backends/brokered/remote/remote-channel.js';
import { TAKE } from '../../../../src/contract/channel.js';
import type { Channel } from '../../../../src/contract/channel.js';

const WARM_UP = 500;

/** A file in memory. */
class TestFile implements JournalSource {
  readonly path = 'journal';
  bytes = Buffer.alloc(0);
  /** What may be appended before there is no room. */
  room = Infinity;
  isHidden = false;
  isClosed = false;
  #slippedIn = 0;
  #at = 0;
  #end = 0;

  /** What no client would write there. */
  slipIn(bytes: Buffer): void {
    this.#slippedIn += bytes.length;
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }

  append(at: number, bytes: Uint8Array, begin: number, length: number): boolean {
    expect(at).toBe(this.bytes.length - this.#slippedIn);
    const fitting = Math.min(length, this.room);
    this.room -= fitting;
    this.bytes = Buffer.concat([this.bytes, bytes.subarray(begin, begin + fitting)]);
    return fitting === length;
  }

  look(): number {
    this.#end = this.bytes.length;
    return this.#end;
  }

  /** In pieces, so that words are cut. */
  read(): Buffer {
    const piece = Buffer.from(this.bytes.subarray(this.#at, Math.min(this.#end, this.#at + 50)));
    this.#at += piece.length;
    return piece;
  }

  unread(bytes: number): void {
    this.#at -= bytes;
  }

  empty(): void {
    this.bytes = Buffer.alloc(0);
    this.#slippedIn = 0;
    this.#at = 0;
    this.#end = 0;
  }

  hide(): void {
    this.isHidden = true;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A client and its line, on which nothing moves but when it is told to. */
class Client {
  readonly file = new TestFile();
  readonly link: Link;
  readonly channel: Channel;
  readonly session: Session;
  /** Operations that went over the line since it was asked last. */
  said: number[] = [];
  isLost = false;
  catchUp = (then: () => void): void => then();
  /** The hub does not hear, though what is said is on its way. */
  isDeaf = false;
  readonly #late: Buffer[] = [];
  /** Of the frame that was begun last. */
  #unsaid = 0;
  readonly #replies: Buffer[] = [];
  readonly #line: Line;

  readonly #hub: Hub;

  constructor(hub: Hub, { isEager = true, hasJournal = true } = {}) {
    this.#hub = hub;
    this.session = hub.connect({
      write: (bytes) => {
        this.#replies.push(bytes);
      },
      makeJournal: () => (hasJournal ? this.file : undefined),
      catchUp: (then) => this.catchUp(then),
      close: () => (this.isLost = true),
    });
    this.#line = {
      onBytes: () => {},
      onLost: () => {},
      write: (bytes) => this.#say(Buffer.from(bytes)),
      wait: () => this.hear(),
      openJournal: () => ({
        append: (...piece) => this.file.append(...piece),
        close: () => {},
      }),
      ref: () => {},
      unref: () => {},
      close: () => this.session.lost(),
    };
    this.link = new Link(this.#line, { isJournalEager: isEager, patienceMs: 1000 });
    this.channel = openChannel(this.link, 'q', 'openOrCreate', {
      capacityBytes: 2 ** 20,
    });
    this.said = [];
  }

  #say(bytes: Buffer): void {
    let at = Math.min(this.#unsaid, bytes.length);
    this.#unsaid -= at;
    for (; at < bytes.length; at += 12 + bytes.readUInt32LE(at)) {
      this.said.push(bytes.readUInt16LE(at + 8));
    }
    this.#unsaid += at - bytes.length;
    if (this.isDeaf) this.#late.push(bytes);
    else this.session.receive(bytes);
  }

  /** The hub hears what it has not. */
  undeafen(): void {
    this.isDeaf = false;
    for (const bytes of this.#late.splice(0)) this.session.receive(bytes);
  }

  /** What the hub has not heard is found where it was written. */
  die(): void {
    this.session.lost(this.#late.splice(0));
  }

  hear(): boolean {
    const replies = this.#replies.splice(0);
    for (const bytes of replies) this.#line.onBytes(bytes);
    return replies.length > 0;
  }

  put(id: number, length = 8): void {
    const bytes = new Uint8Array(length);
    bytes[0] = id;
    expect(this.channel.tryPut(bytes)).toBe(0);
  }

  /** Until its journal is open and much room is promised; how many messages that took. */
  warmUp(): number {
    for (let i = 0; i < WARM_UP; i++) {
      this.put(i);
      this.#hub.journals.hear();
      this.hear();
    }
    expect(this.operations()).toContain(JOURNAL_GO);
    return WARM_UP;
  }

  operations(): number[] {
    return this.said.splice(0);
  }
}

function takeAll(taker: Client): number[] {
  const ids: number[] = [];
  for (let length = taker.channel.tryTake(); length >= 0; length = taker.channel.tryTake()) {
    ids.push(taker.channel.inbox[0] as number);
  }
  return ids;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i % 256);

/** The turn in which things were said, and one in which nothing was. */
async function quietTurn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => ownTime.setImmediate(resolve));
}

const NOW = 1000;
/** Stands still. */
let clock: MockInstance<() => number>;

beforeEach(() => {
  clock = vi.spyOn(ownTime, 'now').mockReturnValue(NOW);
});

afterEach(() => {
  vi.restoreAllMocks();
});

it('are said in the journal, found by whoever asks, in order', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  for (let i = count; i < count + 20; i++) putter.put(i);
  expect(putter.operations()).toEqual([]);
  expect(putter.file.bytes.length).toBeGreaterThan(0);
  expect(takeAll(taker)).toEqual(upTo(count + 20));
  expect(putter.file.isHidden).toBe(true);
});

it('come before what is said over the line behind them', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  putter.isDeaf = true;
  putter.put(count);
  putter.put(count + 1);
  // Too long for a journal.
  putter.put(count + 2, 5000);
  expect(putter.operations()[0]).toBe(JOURNAL_UP_TO);
  // Until the journal is known to be empty nothing is said there.
  const { length } = putter.file.bytes;
  putter.put(count + 3);
  expect(putter.file.bytes).toHaveLength(length);
  putter.undeafen();
  expect(takeAll(taker)).toEqual(upTo(count + 4));
});

it('begin no journal that the first of them would end, being too long for it', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  takeAll(taker);
  putter.put(count, 5000);
  putter.hear();
  putter.operations();
  for (let i = count + 1; i < count + 4; i++) putter.put(i, 5000);
  expect(new Set(putter.operations())).toEqual(new Set([PUT_PROMISED]));
  expect(takeAll(taker)).toEqual(upTo(count + 4).slice(count));
});

it('are not doubled or lost where there is no room for the whole of one', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  putter.file.room = 30;
  for (let i = count; i < count + 4; i++) putter.put(i);
  expect(takeAll(taker)).toEqual(upTo(count + 4));
  putter.file.room = Infinity;
  putter.hear();
  putter.operations();
  for (let i = count + 4; i < count + 9; i++) putter.put(i);
  expect(putter.operations()).toEqual([JOURNAL_GO]);
  expect(takeAll(taker)).toEqual(upTo(count + 9).slice(count + 4));
});

it('wait in the journal while nothing more can be heard', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  takeAll(taker);
  putter.put(count);
  // Whoever says a request there, waits for it as for another one.
  let serve = () => {};
  putter.catchUp = (then) => (serve = then);
  const request = new FrameWriter().begin(0, LIST, 77);
  request.end();
  putter.file.slipIn(request.take());
  const extra = putter.file.bytes.length;
  putter.put(count + 1);
  expect(putter.file.bytes.length).toBeGreaterThan(extra);
  expect(takeAll(taker)).toEqual(upTo(count + 1).slice(count));
  serve();
  expect(takeAll(taker)).toEqual(upTo(count + 2).slice(count + 1));
});

it('outlive who said them', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  putter.isDeaf = true;
  for (let i = count; i < count + 9; i++) putter.put(i);
  putter.session.lost();
  expect(putter.file.isClosed).toBe(true);
  expect(takeAll(taker)).toEqual(upTo(count + 9));
});

it('outlive who was killed in the middle of one, which is lost alone', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  putter.put(count);
  putter.file.slipIn(Buffer.from([17, 0, 0]));
  putter.session.lost();
  expect(takeAll(taker)).toEqual(upTo(count + 1));
});

it('are told to the hub when the lease has passed, and when the turn is over', async () => {
  // Nothing is given back at its end.
  vi.spyOn(globalThis, 'setImmediate').mockImplementation((() => {}) as never);
  const hub = new Hub();
  const putter = new Client(hub);
  const count = putter.warmUp();
  for (let i = count; i < count + 8; i++) putter.put(i);
  clock.mockReturnValue(NOW + LEASE_MS + 1);
  hub.journals.hear();
  putter.put(count + 8);
  expect(putter.operations()).toContain(JOURNAL_GO);
  // It looks at once.
  expect(hub.catalogue.list()[0]?.size).toBe(count + 9);
  for (let i = count; i < count + 8; i++) putter.put(i);
  expect(putter.operations()).toEqual([]);
  await quietTurn();
  expect(putter.operations()).toEqual([JOURNAL_GO]);
});

it('are looked for by the hub once more when the lease has passed', async () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  takeAll(taker);
  // A thread that does not return to its event loop.
  vi.spyOn(ownTime, 'setImmediate').mockImplementation((() => {}) as never);
  putter.put(count);
  expect(putter.operations()).toEqual([]);
  clock.mockRestore();
  await expect.poll(() => hub.catalogue.list()[0]?.size).toBe(1);
});

it('are looked for now and then until it has', async () => {
  // Nothing is said, or given back, at the end of a turn or after a while.
  vi.spyOn(ownTime, 'setImmediate').mockImplementation((() => {}) as never);
  vi.spyOn(ownTime, 'setTimeout').mockReturnValue({ unref() {} } as never);
  vi.spyOn(globalThis, 'setImmediate').mockImplementation((() => {}) as never);
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  takeAll(taker);
  // The first looks find nothing.
  await new Promise((resolve) => setTimeout(resolve, 20));
  putter.put(count);
  expect(putter.operations()).toEqual([]);
  await expect.poll(() => hub.catalogue.list()[0]?.size).toBe(1);
});

it('go over the line where there is no journal, and nobody looks whether there is one', () => {
  const hub = new Hub();
  const putter = new Client(hub, { hasJournal: false });
  for (let i = 0; i < 100; i++) putter.put(i);
  putter.hear();
  expect(putter.operations()).toContain(WANT_JOURNAL);
  const hear = vi.spyOn(putter, 'hear');
  for (let i = 0; i < 100; i++) putter.put(i);
  expect(new Set(putter.operations())).toEqual(new Set([PUT_PROMISED]));
  expect(hear).not.toHaveBeenCalled();
});

it('go over the line where they come slowly', () => {
  const hub = new Hub();
  const putter = new Client(hub, { isEager: false });
  for (let i = 0; i < 80; i++) {
    putter.put(i);
    if (i % 8 === 0) clock.mockReturnValue(NOW + i);
  }
  expect(putter.operations()).not.toContain(WANT_JOURNAL);
});

it('go to the journal where they come fast, which begins anew when it is full', () => {
  const hub = new Hub();
  const putter = new Client(hub, { isEager: false });
  const taker = new Client(hub);
  let taken = 0;
  const count = Math.ceil((1.5 * JOURNAL_BYTES) / 1000);
  for (let i = 0; i < count; i++) {
    putter.put(i, 1000);
    if (i % 16 === 15) {
      putter.hear();
      taken += takeAll(taker).length;
    }
  }
  taken += takeAll(taker).length;
  expect(taken).toBe(count);
  const operations = putter.operations();
  expect(operations.filter((operation) => operation === WANT_JOURNAL)).toHaveLength(1);
  expect(operations).toContain(JOURNAL_UP_TO);
});

/** Of the first, 1 stands in a journal; the second, who was promised room, has none yet. */
function oneInJournalOneNot() {
  const hub = new Hub();
  const first = new Client(hub);
  const second = new Client(hub, { isEager: false });
  const taker = new Client(hub);
  first.warmUp();
  for (let i = 0; i < 31; i++) {
    clock.mockReturnValue(NOW + 0.05 * i);
    second.put(99);
    second.hear();
  }
  takeAll(taker);
  clock.mockReturnValue(NOW);
  first.put(1);
  return { second, taker };
}

it('come before what somebody puts who has learned of them by another way', () => {
  const { second, taker } = oneInJournalOneNot();
  second.operations();
  second.put(2);
  expect(second.operations()).toEqual([PUT_PROMISED]);
  expect(takeAll(taker)).toEqual([1, 2]);
});

it('come before what somebody has put who has learned of them, and who died before that was read', () => {
  const { second, taker } = oneInJournalOneNot();
  second.isDeaf = true;
  second.put(2);
  second.die();
  expect(takeAll(taker)).toEqual([1, 2]);
});

it('are heard though a program stops its clock and its timers', () => {
  vi.restoreAllMocks();
  const hub = new Hub();
  const taker = new Client(hub);
  vi.useFakeTimers();
  try {
    const putter = new Client(hub, { isEager: false });
    for (let i = 0; i < 400; i++) {
      putter.put(i);
      putter.hear();
      const until = ownTime.now() + 0.1;
      while (ownTime.now() < until);
    }
    expect(putter.operations()).not.toContain(WANT_JOURNAL);
  } finally {
    vi.useRealTimers();
  }
  expect(takeAll(taker)).toHaveLength(400);
});

it('are followed there by what somebody waits for, of which the hub is told at once', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  expect(takeAll(taker)).toEqual(upTo(count));
  for (let i = 0; i < 8; i++) putter.put(i);
  putter.operations();
  const before = putter.file.bytes.length;
  // A word, and a request.
  putter.channel.arm(TAKE);
  expect(putter.channel.size()).toBe(8);
  expect(putter.file.bytes.length).toBeGreaterThan(before);
  expect(putter.operations()).toEqual([JOURNAL_GO, JOURNAL_GO]);
  putter.channel.disarm(TAKE);
  putter.put(8);
  expect(takeAll(taker)).toEqual(upTo(9));
});

it('are followed over the line by what is too long for it', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  const count = putter.warmUp();
  expect(takeAll(taker)).toEqual(upTo(count));
  for (const [id, length] of [8, 5_000, 8, 100_000, 8].entries()) {
    putter.operations();
    putter.put(id, length);
    expect(putter.operations().includes(JOURNAL_UP_TO)).toBe(length > LONGEST_WORD);
    putter.hear();
  }
  const lengths: number[] = [];
  for (let id = 0; id < 5; id++) {
    lengths.push(taker.channel.tryTake());
    expect(taker.channel.inbox[0]).toBe(id);
  }
  expect(lengths).toEqual([8, 5_000, 8, 100_000, 8]);
});

it('are looked for no more where it is of no use', () => {
  const watch = new JournalWatch();
  const uses = [true, true, false];
  const owner = { hearJournal: vi.fn(() => uses.shift() === true) };
  watch.add(owner);
  for (let i = 0; i < 5; i++) watch.hear();
  expect(owner.hearJournal).toHaveBeenCalledTimes(3);
});

it('end where what somebody waits for comes alone, again and again', () => {
  const hub = new Hub();
  const putter = new Client(hub);
  putter.warmUp();
  putter.operations();
  for (let i = 0; i < 3; i++) putter.channel.size();
  expect(putter.operations()).toEqual([JOURNAL_GO, JOURNAL_GO, JOURNAL_UP_TO]);
  putter.channel.size();
  expect(putter.operations()).toEqual([SIZE]);
});

it('are heard before what another one asks in his journal, whoever is heard first', () => {
  const hub = new Hub();
  const [first, second] = [new Client(hub), new Client(hub)];
  const count = first.warmUp();
  second.warmUp();
  for (const [asker, putter] of [
    [first, second],
    [second, first],
  ] as const) {
    const before = asker.channel.size();
    for (let i = 0; i < 8; i++) asker.put(i);
    for (let i = 0; i < 8; i++) putter.put(i);
    expect(asker.channel.size()).toBe(before + 16);
  }
  expect(count).toBe(WARM_UP);
});

it('are not told at each turn of one who goes on, nor his journal emptied', async () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  putter.warmUp();
  putter.operations();
  for (let turn = 0; turn < 10; turn++) {
    for (let i = 0; i < 16; i++) putter.put(i, 1000);
    hub.journals.hear();
    takeAll(taker);
    putter.hear();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(putter.file.bytes.length).toBeGreaterThan(2 ** 16);
  expect(putter.operations()).toEqual([]);
});

it('leave little in the file when their client has nothing more to say', async () => {
  const hub = new Hub();
  const putter = new Client(hub);
  const taker = new Client(hub);
  putter.warmUp();
  for (let i = 0; i < 300; i++) {
    putter.put(i, 1000);
    if (i % 16 === 15) takeAll(taker);
    putter.hear();
  }
  expect(putter.file.bytes.length).toBeGreaterThan(2 ** 16);
  await quietTurn();
  expect(putter.file.bytes).toHaveLength(0);
});

it('are not followed by a request of a session that they have ended', () => {
  const hub = new Hub();
  const culprit = new Client(hub);
  const other = new Client(hub);
  culprit.warmUp();
  let serve = () => {};
  culprit.catchUp = (then) => (serve = then);
  const open = new FrameWriter().begin(0, OPEN_CHANNEL, 7).json('left').text('openOrCreate');
  open.json({}).end();
  culprit.session.receive(Buffer.from(open.take()));
  culprit.file.slipIn(word(9999));
  serve();
  expect(culprit.isLost).toBe(true);
  other.session.lost();
  expect(hub.catalogue.list().map(({ name }) => name)).not.toContain('left');
});

function word(operation: number, value?: number): Buffer {
  const writer = new FrameWriter().begin(0, operation, 0);
  if (value !== undefined) writer.u32(value);
  writer.end();
  return Buffer.from(writer.take());
}

it.each<[string, (client: Client) => void]>([
  ['says GO without a journal', ({ session }) => session.receive(word(JOURNAL_GO))],
  ['wants a second one', (client) => client.session.receive(word(WANT_JOURNAL))],
  [
    'says that more is in it than there is',
    (client) => client.session.receive(word(JOURNAL_UP_TO, client.file.bytes.length + 1)),
  ],
  [
    'says that less is in it than there is',
    (client) => client.session.receive(word(JOURNAL_UP_TO, 1)),
  ],
  [
    'says more in the journal than it may hold',
    ({ file }) => {
      const one = new FrameWriter().begin(12_345, CLOSE, 0);
      one.end();
      file.slipIn(Buffer.alloc(JOURNAL_BYTES + 2 ** 13, one.take()));
    },
  ],
  [
    'says GO in the journal itself',
    ({ file, session }) => {
      file.slipIn(word(JOURNAL_GO));
      session.receive(word(JOURNAL_GO));
    },
  ],
])('let go of who %s, and nobody else', (what, say) => {
  const hub = new Hub();
  const culprit = new Client(hub);
  const other = new Client(hub);
  if (!what.endsWith('without a journal')) {
    culprit.warmUp();
    culprit.put(1);
  }
  say(culprit);
  hub.journals.hear();
  expect(culprit.isLost).toBe(true);
  other.put(1);
  expect(takeAll(other).length).toBeGreaterThan(0);
});
