import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ACCEPT, OFFER } from '../../../../src/contract/listener.js';
import type { ListenerEnd } from '../../../../src/contract/listener.js';
import { CARRYING, EMPTY, ENDED, FULL, RECEIVE, SEND } from '../../../../src/contract/pipe.js';
import type { PipeEnd, PipeOptions } from '../../../../src/contract/pipe.js';
import type { Channel, SharedObject, Ticket } from '../../../../src/contract/channel.js';
import { HEADER_BYTES } from '../../../../src/backends/brokered/frames.js';
import type { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import type { Line } from '../../../../src/backends/brokered/line.js';
import { ARM, OPEN_PIPE } from '../../../../src/backends/brokered/operations.js';
import { pipeGeometry, writeGeometry } from '../../../../src/backends/brokered/pipe-geometry.js';
import {
  OFFERED,
  RECEIVE as PIPE_RECEIVE,
  ROOM_FREED,
  SEND as PIPE_SEND,
  SUBSCRIBE,
} from '../../../../src/backends/brokered/pipe-operations.js';
import { Link } from '../../../../src/backends/brokered/remote/link.js';
import { openChannel } from '../../../../src/backends/brokered/remote/remote-channel.js';
import {
  openBacklog,
  openListener,
} from '../../../../src/backends/brokered/remote/remote-listener.js';
import { openPipe, openPipeTicket } from '../../../../src/backends/brokered/remote/remote-pipe.js';
import { DirectBackend } from '../../direct-backend.js';
import { thrownBy } from '../../thrown-by.js';
import { RawClient } from './frames-of-clients.js';

const MESSAGE_BYTES = 8;
const CAPACITY = 4096;
/** As many messages as a pipe of that capacity holds. */
const FULL_OF = CAPACITY / (8 + MESSAGE_BYTES);

/** A process, as its hub sees it. */
class Party {
  /** What it asked for and what it said, since this was read last. */
  requests = 0;
  words = 0;

  constructor(readonly link: Link) {
    const ask = link.ask.bind(link);
    const tell = link.tell.bind(link);
    const tellSoon = link.tellSoon.bind(link);
    const tellOutboxSoon = link.tellOutboxSoon.bind(link);
    vi.spyOn(link, 'ask').mockImplementation((rest) => (this.requests++, ask(rest)));
    vi.spyOn(link, 'tell').mockImplementation((rest) => (this.words++, tell(rest)));
    vi.spyOn(link, 'tellSoon').mockImplementation((messages) => (this.words++, tellSoon(messages)));
    vi.spyOn(link, 'tellOutboxSoon').mockImplementation(() => (this.words++, tellOutboxSoon()));
  }

  kill(): void {
    this.link.close();
  }

  pipe(options: PipeOptions = { capacityBytes: CAPACITY }): [PipeEnd, PipeEnd] {
    return openPipe(this.link, options);
  }

  queue(): Channel {
    return openChannel(this.link, 'q', 'openOrCreate', {});
  }

  cost(): { requests: number; words: number } {
    const cost = { requests: this.requests, words: this.words };
    this.requests = 0;
    this.words = 0;
    return cost;
  }
}

/** To one whose words are read together with the next request. */
function corkedLink(hub: Hub): Link {
  const written: Uint8Array[] = [];
  const arrived: Buffer[] = [];
  const session = hub.connect({
    write: (bytes) => void arrived.push(bytes),
    close: () => line.onLost(new Error('the hub ended it')),
  });
  const line: Line = {
    onBytes() {},
    onLost() {},
    write: (bytes) => void written.push(Buffer.from(bytes)),
    wait() {
      session.receive(Buffer.concat(written.splice(0)));
      for (const bytes of arrived.splice(0)) line.onBytes(bytes);
      return true;
    },
    ref() {},
    unref() {},
    close: () => session.lost(),
  };
  return new Link(line);
}

let backend: DirectBackend;
let ann: Party;
let bob: Party;

beforeEach(() => {
  backend = new DirectBackend();
  ann = new Party(backend.anotherLink());
  bob = new Party(backend.anotherLink());
});

function send(end: PipeEnd, id: number, marks = 0): number {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  new DataView(bytes.buffer).setUint32(0, id);
  return end.trySend(bytes, marks);
}

function sendAll(end: PipeEnd, from: number, count: number): void {
  for (let id = from; id < from + count; id++) expect(send(end, id)).toBe(0);
}

/** The number of the next message, or a status. */
function receive(end: PipeEnd): number {
  const bytes = end.tryReceiveCopy();
  if (typeof bytes === 'number') return bytes;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function receiveAll(end: PipeEnd): number[] {
  const ids: number[] = [];
  for (let id = receive(end); ; id = receive(end)) {
    ids.push(id);
    if (id < 0) return ids;
  }
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

interface Movable {
  depart(): void;
}

/** Puts a message with it into the queue; it has not departed yet. */
function put(queue: Channel, passenger: SharedObject): Ticket {
  const ticket = queue.issueTicket(passenger);
  expect(queue.tryPutCarrying(Buffer.from(ticket))).toBe(0);
  return ticket;
}

/** Gives it to somebody else, who has it then. */
function give(end: PipeEnd, from: Party, to: Party): PipeEnd {
  const [there, here] = [to.queue(), from.queue()];
  const ticket = put(here, end);
  (end as Movable).depart();
  here.close();
  const arrived = take(there, ticket, to);
  there.close();
  return arrived;
}

function take(queue: Channel, ticket: Ticket, to: Party): PipeEnd {
  expect(queue.tryReceive()).toBeGreaterThan(0);
  const end = openPipeTicket(to.link, ticket);
  queue.ack(queue.receipt);
  queue.redeemTicket(ticket);
  return end;
}

/** Both ends of a pipe, one of each. */
function between(options?: PipeOptions): [PipeEnd, PipeEnd] {
  const [first, second] = ann.pipe(options);
  return [first, give(second, ann, bob)];
}

/** Waits, with that as what is done when it rings. */
function rung(end: PipeEnd | ListenerEnd, side: 0 | 1): Promise<void> {
  return new Promise((resolve) => {
    (end as SharedObject).onReady = (rang) => {
      if (rang === side) resolve();
    };
    if ((end as SharedObject).arm(side)) resolve();
  });
}

describe('an end of a pipe behind a hub', () => {
  it('gets all that was sent before its sender was killed, and then the end', () => {
    const [a, b] = between();
    sendAll(b, 0, 10);
    bob.kill();
    expect(receiveAll(a)).toEqual([...range(0, 10), ENDED]);
    expect(a.peerIsGone()).toBe(true);
    expect(send(a, 1)).toBe(ENDED);
  });

  it('gets it also when it waits, as what comes unasked', async () => {
    const [a, b] = between();
    const came = rung(a, RECEIVE);
    sendAll(b, 0, 10);
    bob.kill();
    await came;
    expect(receiveAll(a)).toEqual([...range(0, 10), ENDED]);
    const ended = rung(a, RECEIVE);
    await ended;
  });

  it('is rung for the death of the other one, whatever it waits for', async () => {
    const [a, b] = between();
    sendAll(a, 0, FULL_OF);
    expect(send(a, 0)).toBe(FULL);
    const waiting = [rung(a, SEND)];
    await turn();
    bob.kill();
    await Promise.all(waiting);
    expect(send(a, 0)).toBe(ENDED);
    expect(receive(a)).toBe(ENDED);
    expect(b.identity()).toBe(a.identity());
  });

  it('learns of a death before the first message of a turn', async () => {
    const [a] = between();
    expect(send(a, 0)).toBe(0);
    await turn();
    await turn();
    // Nothing of it has been read.
    bob.kill();
    expect(send(a, 1)).toBe(ENDED);
  });

  it('leaves nothing behind when both are killed, with messages on their way', () => {
    const [a, b] = between();
    sendAll(a, 0, 3);
    sendAll(b, 0, 3);
    ann.kill();
    expect(backend.hub.catalogue.isEmpty).toBe(false);
    bob.kill();
    expect(backend.hub.catalogue.isEmpty).toBe(true);
  });

  it('lives on in a message when its sender is killed, and ends with the message', () => {
    const [a, b] = ann.pipe();
    const carrier = bob.queue();
    const cat = new Party(backend.anotherLink());
    const mine = give(b, ann, cat);
    sendAll(mine, 0, 2);
    const queue = cat.queue();
    put(queue, mine);
    mine.depart();
    cat.kill();
    expect(a.peerIsGone()).toBe(false);
    expect(send(a, 7)).toBe(0);
    carrier.unlink();
    carrier.close();
    expect(receiveAll(a)).toEqual([0, 1, ENDED]);
    expect(send(a, 7)).toBe(ENDED);
  });

  it('is lost with who dies before he has said that the message went', () => {
    const [a, b] = between();
    const queue = bob.queue();
    const kept = ann.queue();
    const ticket = put(queue, b);
    bob.kill();
    expect(receive(a)).toBe(ENDED);
    const lost = take(kept, ticket, ann);
    expect([receive(lost), send(lost, 1)]).toEqual([ENDED, ENDED]);
    lost.close();
    kept.close();
    a.close();
    expect(backend.hub.catalogue.isEmpty).toBe(true);
  });

  it('is had by who opens the message before its sender has said that it went', () => {
    const [a, b] = ann.pipe();
    const [there, here] = [bob.queue(), ann.queue()];
    const ticket = put(here, b);
    const arrived = take(there, ticket, bob);
    b.depart();
    expect(send(a, 1)).toBe(0);
    expect(receive(arrived)).toBe(1);
    sendAll(arrived, 2, 1);
    ann.kill();
    expect(receive(arrived)).toBe(ENDED);
  });

  it('takes along what had come and was not consumed, and nothing twice', async () => {
    const [a, b] = between();
    const came = rung(b, RECEIVE);
    sendAll(a, 0, 20);
    await came;
    expect(range(0, 5).map(() => receive(b))).toEqual(range(0, 5));
    sendAll(a, 20, 5);
    const moved = give(b, bob, ann);
    sendAll(a, 25, 5);
    expect(receiveAll(moved)).toEqual([...range(5, 25), EMPTY]);
  });

  it('takes along what comes while its ticket is issued', async () => {
    const [a, b] = between();
    const came = rung(b, RECEIVE);
    sendAll(a, 0, 1);
    await came;
    const ask = Link.prototype.ask.bind(bob.link);
    vi.spyOn(bob.link, 'ask').mockImplementation((rest) => {
      const reply = ask(rest);
      sendAll(a, 1, 1);
      return reply;
    });
    const queue = bob.queue();
    const ticket = put(queue, b);
    b.depart();
    const sent = receiveAll(take(ann.queue(), ticket, ann));
    expect(sent.slice(0, 3)).toEqual([0, 1, 1]);
  });

  it('takes along what came just before', () => {
    const link = corkedLink(backend.hub);
    const [a, b] = openPipe(link, {});
    const queue = openChannel(link, 'q', 'openOrCreate', {});
    expect(b.arm(RECEIVE)).toBe(false);
    // Is read together with what asks for it back.
    sendAll(a, 1, 1);
    b.disarm(RECEIVE);
    const ticket = put(queue, b);
    b.depart();
    expect(receive(take(ann.queue(), ticket, ann))).toBe(1);
  });

  it('has it again when it stays', async () => {
    const [a, b] = between();
    const queue = bob.queue();
    const came = rung(b, RECEIVE);
    sendAll(a, 0, 20);
    await came;
    expect(receive(b)).toBe(0);
    const ticket = queue.issueTicket(b);
    sendAll(a, 20, 1);
    b.stay();
    queue.redeemTicket(ticket);
    expect(receiveAll(b)).toEqual([...range(1, 20), EMPTY]);
    const again = rung(b, RECEIVE);
    sendAll(a, 21, 1);
    await again;
    expect(receive(b)).toBe(21);
    ann.kill();
    expect(receive(b)).toBe(ENDED);
  });

  it('has its end again when it stays', async () => {
    const [a, b] = between();
    const came = rung(b, RECEIVE);
    a.close();
    await came;
    const queue = bob.queue();
    queue.issueTicket(b);
    b.stay();
    await rung(b, RECEIVE);
    expect(receive(b)).toBe(ENDED);
  });

  it('holds what came back beyond its capacity, and has room again when that is consumed', async () => {
    const [a, b] = between();
    const came = rung(b, RECEIVE);
    sendAll(a, 0, FULL_OF);
    sendAll(a, FULL_OF, FULL_OF);
    expect(send(a, 0)).toBe(FULL);
    await came;
    const moved = give(b, bob, ann);
    expect(send(a, 0)).toBe(FULL);
    for (let id = 0; id < FULL_OF; id++) {
      expect(receive(moved)).toBe(id);
    }
    const rest = receiveAll(moved);
    expect(rest).toEqual([...range(FULL_OF, FULL_OF), EMPTY]);
    sendAll(a, 0, FULL_OF);
    expect(send(a, 0)).toBe(FULL);
  });

  it('carries others, which are lost with it', () => {
    const [a, b] = between();
    const [c, d] = ann.pipe();
    const ticket = a.issueTicket(d);
    expect(a.trySend(Buffer.from(ticket), CARRYING)).toBe(0);
    d.depart();
    expect(b.tryReceive()).toBe(ticket.length);
    expect(b.marks).toBe(CARRYING);
    expect(b.ticketsIn(Buffer.from(ticket))).toEqual([ticket]);
    expect(receive(c)).toBe(EMPTY);
    bob.kill();
    expect(receive(c)).toBe(ENDED);
  });

  it('is lost when it travels in nothing but what travels in it', () => {
    const [a, b] = ann.pipe();
    const [c, d] = ann.pipe();
    const first = a.issueTicket(d);
    a.trySend(Buffer.from(first), CARRYING);
    d.depart();
    const second = c.issueTicket(b);
    c.trySend(Buffer.from(second), CARRYING);
    b.depart();
    expect([receive(a), receive(c)]).toEqual([ENDED, ENDED]);
    a.close();
    c.close();
    expect(backend.hub.catalogue.isEmpty).toBe(true);
  });

  it('can be in the messages of another, that in those of a third, and so on, and all end at once', () => {
    let [a, b] = ann.pipe();
    const last = a;
    for (let i = 0; i < 5000; i++) {
      const [c, d] = ann.pipe();
      c.trySend(Buffer.from(c.issueTicket(b)), CARRYING);
      b.depart();
      [a, b] = [c, d];
    }
    expect(receive(last)).toBe(EMPTY);
    b.close();
    expect(receive(last)).toBe(ENDED);
  });
});

describe('messages of a pipe', () => {
  it('are words as long as there is room, one for a batch', async () => {
    const [a, b] = between({ capacityBytes: 65_536 });
    send(a, 0);
    ann.cost();
    for (let i = 0; i < 50; i++) send(a, i);
    expect(ann.cost()).toEqual({ requests: 0, words: 50 });
    const batch = range(0, 64).map(() => new Uint8Array(MESSAGE_BYTES));
    expect(a.trySendMany(batch, 0)).toBe(64);
    expect(ann.cost()).toEqual({ requests: 0, words: 1 });
    expect(receiveAll(b)).toHaveLength(1 + 50 + 64 + 1);
    await turn();
  });

  it('are fetched more at a time the longer a turn of them gets, and one in the next', async () => {
    const [a, b] = between({ capacityBytes: 65_536 });
    sendAll(a, 0, 15);
    bob.cost();
    for (let i = 0; i < 15; i++) expect(receive(b)).toBe(i);
    expect(bob.cost().requests).toBe(4);
    sendAll(a, 0, 2);
    await turn();
    await turn();
    expect(receive(b)).toBe(0);
    expect(bob.cost().requests).toBe(1);
    // The other one is still the hub's.
    bob.kill();
    expect(a.peerIsGone()).toBe(true);
  });

  it('come unasked to who has fetched many in one turn', async () => {
    const [a, b] = between({ capacityBytes: 65_536 });
    sendAll(a, 0, 1000);
    bob.cost();
    for (let i = 0; i < 1000; i++) expect(receive(b)).toBe(i);
    expect(bob.cost().requests).toBeLessThan(20);
    // As many as were fetched at last: it wants more.
    sendAll(a, 1000, 23);
    for (let i = 1000; i < 1023; i++) expect(receive(b)).toBe(i);
    expect(b.tellsUnasked).toBe(true);
    bob.cost();
    sendAll(a, 0, 100);
    await turn();
    await turn();
    for (let i = 0; i < 100; i++) expect(receive(b)).toBe(i);
    expect(bob.cost().requests).toBe(0);
  });

  it('come unasked while somebody waits for one after the other', async () => {
    const [a, b] = between({ capacityBytes: 65_536 });
    let came = rung(b, RECEIVE);
    bob.cost();
    for (let id = 0; id < 10_000; id++) {
      send(a, id);
      if (id % 10 < 9) continue;
      await came;
      for (let i = id - 9; i <= id; i++) expect(receive(b)).toBe(i);
      expect(b.tellsUnasked).toBe(true);
      came = rung(b, RECEIVE);
    }
    const { requests, words } = bob.cost();
    expect(requests).toBe(0);
    expect(words).toBeLessThan(20);
  });

  it('ring for what a look has found, though it came with the look', async () => {
    const [a, b] = openPipe(corkedLink(backend.hub), {});
    const came = rung(b, RECEIVE);
    sendAll(a, 1, 2);
    expect(b.isReadable()).toBe(true);
    await came;
    expect([receive(b), receive(b), receive(b)]).toEqual([1, 2, EMPTY]);
  });

  it('ring for what a look has found that was made while somebody waits', async () => {
    const [a, b] = ann.pipe();
    let came = rung(b, RECEIVE);
    send(a, 1);
    send(a, 2);
    expect(b.isReadable()).toBe(true);
    await came;
    expect([receive(b), receive(b), receive(b)]).toEqual([1, 2, EMPTY]);
    came = rung(b, RECEIVE);
    expect(receive(b)).toBe(EMPTY);
    send(a, 3);
    await came;
    expect(receive(b)).toBe(3);
  });

  it('make room that the sender is told of unasked, when it is a quarter', () => {
    const client = new RawClient(backend.hub);
    const geometry = pipeGeometry({ capacityBytes: CAPACITY });
    const from = client.ask(0, OPEN_PIPE, (body) => writeGeometry(body, geometry)).readUInt32LE(0);
    const roomTold = () => {
      const told = client.heard.filter(({ operation }) => operation === ROOM_FREED);
      return told.map(({ body }) => body.readDoubleLE(0));
    };
    const sendBytes = (bytes: number) =>
      client.tell(from, PIPE_SEND, (body) =>
        body
          .u32(bytes - 8)
          .u32(0)
          .rest(Buffer.alloc(bytes - 8)),
      );
    client.tell(from + 1, SUBSCRIBE, (body) => body.u32(CAPACITY));
    sendBytes(CAPACITY / 4 - 1);
    expect(roomTold()).toEqual([]);
    sendBytes(9);
    expect(roomTold()).toEqual([CAPACITY / 4 + 8]);
    // Without a subscription, when somebody asks for them.
    client.ask(from + 1, PIPE_RECEIVE, (body) => body.u32(0).u32(0));
    sendBytes(CAPACITY / 4);
    expect(roomTold()).toHaveLength(1);
    client.ask(from + 1, PIPE_RECEIVE, (body) => body.u32(1).u32(1));
    expect(roomTold()).toEqual([CAPACITY / 4 + 8, CAPACITY / 4]);
  });

  it('make room that who waits for it is told of, when it is enough', async () => {
    const [a, b] = between();
    sendAll(a, 0, FULL_OF);
    expect(a.trySend(new Uint8Array(100), 0)).toBe(FULL);
    let isRung = false;
    const room = rung(a, SEND).then(() => (isRung = true));
    receive(b);
    await turn();
    await turn();
    expect(isRung).toBe(false);
    for (let i = 0; i < 8; i++) receive(b);
    await room;
    expect(a.trySend(new Uint8Array(100), 0)).toBe(0);
  });
});

describe('a listener behind a hub', () => {
  const OPTIONS = { backlog: 1, isKeyed: false, codec: 'raw' };

  /** A client of the listener: the end that it keeps. */
  function connect(party: Party): PipeEnd {
    const backlog = openBacklog(party.link, 'l');
    const [ours, theirs] = party.pipe(backlog.terms);
    expect(backlog.tryOffer(theirs)).toBe(0);
    expect(theirs.identity()).toBe(0n);
    backlog.close();
    return ours;
  }

  it('accepts who was killed while he waited, with what he had sent', () => {
    const listener = openListener(ann.link, 'l', OPTIONS);
    sendAll(connect(bob), 0, 3);
    bob.kill();
    const accepted = listener.tryAccept() as PipeEnd;
    expect(listener.clientPid).toBe(process.pid);
    expect(receiveAll(accepted)).toEqual([0, 1, 2, ENDED]);
    expect(listener.tryAccept()).toBe(EMPTY);
  });

  it('ends the connections of who waits when it is killed, and its name is free', () => {
    openListener(ann.link, 'l', OPTIONS);
    const ours = connect(bob);
    const backlog = openBacklog(bob.link, 'l');
    expect(receive(ours)).toBe(EMPTY);
    ann.kill();
    expect(receive(ours)).toBe(ENDED);
    const [, theirs] = bob.pipe(backlog.terms);
    expect(backlog.tryOffer(theirs)).toBe(ENDED);
    expect(theirs.peerIsGone()).toBe(false);
    expect(backend.list().map(({ kind }) => kind)).not.toContain('listener');
    expect(thrownBy(() => openBacklog(bob.link, 'l'))).toMatchObject({ code: 'ERR_NOT_FOUND' });
    openListener(bob.link, 'l', OPTIONS);
  });

  it('rings who waits for room when there is some, and when there will be none', async () => {
    const listener = openListener(ann.link, 'l', OPTIONS);
    connect(bob);
    const backlog = openBacklog(bob.link, 'l');
    const [, theirs] = bob.pipe(backlog.terms);
    expect(backlog.tryOffer(theirs)).toBe(FULL);
    const room = rung(backlog as never, OFFER);
    const client = rung(listener, ACCEPT);
    await client;
    listener.tryAccept();
    await room;
    expect(backlog.tryOffer(theirs)).toBe(0);
    const gone = rung(backlog as never, OFFER);
    ann.kill();
    await gone;
  });

  it('hands over what a client’s other end had received already, and what was on its way to it', async () => {
    const listener = openListener(ann.link, 'l', OPTIONS);
    const backlog = openBacklog(bob.link, 'l');
    const [ours, theirs] = bob.pipe(backlog.terms);
    const came = rung(theirs, RECEIVE);
    sendAll(ours, 0, 5);
    await came;
    expect(receive(theirs)).toBe(0);
    sendAll(ours, 5, 2);
    expect(backlog.tryOffer(theirs)).toBe(0);
    sendAll(ours, 7, 1);
    expect(receiveAll(listener.tryAccept() as PipeEnd)).toEqual([...range(1, 7), EMPTY]);
  });

  it('leaves an end as it was that finds no room, with what it has received', async () => {
    openListener(ann.link, 'l', OPTIONS);
    connect(bob);
    const backlog = openBacklog(bob.link, 'l');
    const [ours, theirs] = bob.pipe(backlog.terms);
    const came = rung(theirs, RECEIVE);
    sendAll(ours, 0, 5);
    await came;
    expect(receive(theirs)).toBe(0);
    expect(backlog.tryOffer(theirs)).toBe(FULL);
    expect(receiveAll(theirs)).toEqual([...range(1, 4), EMPTY]);
  });

  it('closes pipes that are not as it has said, and passes on to the next', () => {
    const listener = openListener(ann.link, 'l', { ...OPTIONS, backlog: 2 });
    const backlog = openBacklog(bob.link, 'l');
    const [ours, theirs] = bob.pipe({ ...backlog.terms, capacityBytes: 2 ** 20 });
    expect(backlog.tryOffer(theirs)).toBe(0);
    const right = connect(bob);
    const accepted = listener.tryAccept() as PipeEnd;
    sendAll(accepted, 9, 1);
    expect(receive(right)).toBe(9);
    expect(receive(ours)).toBe(ENDED);
  });
});

describe('a hub', () => {
  type Say = (client: RawClient, first: number) => void;

  it.each<[string, Say]>([
    [
      'sends more than there is room for',
      (client, first) => {
        for (let i = 0; i < 5; i++) {
          client.tell(first, PIPE_SEND, (body) => body.u32(1016).u32(0).rest(Buffer.alloc(1016)));
        }
      },
    ],
    [
      'sends the wrong way',
      (client, first) => client.tell(first, PIPE_SEND, (body) => body.u32(0).u32(0)),
    ],
    [
      'sends a message that ends too early',
      (client, first) => client.tell(first + 1, PIPE_SEND, (body) => body.u32(9).u32(0).u32(0)),
    ],
    [
      'sends half a header',
      (client, first) => client.tell(first + 1, PIPE_SEND, (body) => body.u32(0)),
    ],
    [
      'sends a part that is more than the whole',
      (client, first) =>
        client.tell(first + 1, PIPE_SEND, (body) => body.u32(4).u32(0x300).u32(3).u32(0)),
    ],
    [
      'sends a part of more than a message may be',
      (client, first) =>
        client.tell(first + 1, PIPE_SEND, (body) =>
          body
            .u32(0)
            .u32(0x300)
            .u32(2 ** 31),
        ),
    ],
    [
      'sends flags that nobody knows',
      (client, first) => client.tell(first + 1, PIPE_SEND, (body) => body.u32(0).u32(0x400)),
    ],
    [
      'announces what there cannot be room for',
      (client, first) => {
        const header = Buffer.alloc(HEADER_BYTES);
        header.writeUInt32LE(2 ** 20 + 1, 0);
        header.writeUInt32LE(first + 1, 4);
        header.writeUInt16LE(PIPE_SEND, 8);
        client.sendBytes(header);
      },
    ],
    [
      'gives back what is no message',
      (client, first) => client.tell(first, OFFERED, (body) => body.u32(7)),
    ],
    [
      'waits for what does not exist',
      (client, first) => client.tell(first, ARM, (body) => body.u8(RECEIVE).u32(1).f64(0)),
    ],
  ])('lets go who %s, and nobody else', (_, say) => {
    const client = new RawClient(backend.hub);
    const geometry = pipeGeometry({ capacityBytes: CAPACITY, duplex: false });
    const first = client.ask(0, OPEN_PIPE, (body) => writeGeometry(body, geometry)).readUInt32LE(0);
    const [a, b] = between();
    say(client, first);
    expect(client.isEnded).toBe(true);
    sendAll(a, 0, 1);
    expect(receive(b)).toBe(0);
  });
});
