import { beforeEach, describe, expect, it, vi } from 'vitest';

import { FULL } from '../../../../src/contract/channel.js';
import type { Channel, ChannelOptions } from '../../../../src/contract/channel.js';
import { CARRYING, EMPTY } from '../../../../src/contract/pipe.js';
import type { PipeEnd } from '../../../../src/contract/pipe.js';
import type { Ticket } from '../../../../src/contract/shared-object.js';
import { SENT_ALONG_BYTES } from '../../../../src/backends/brokered/channel-operations.js';
import type { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import type { HubQueue } from '../../../../src/backends/brokered/hub/hub-queue.js';
import { UnsentTickets } from '../../../../src/backends/brokered/hub/unsent-tickets.js';
import type { Line } from '../../../../src/backends/brokered/line.js';
import { SEND } from '../../../../src/backends/brokered/pipe-operations.js';
import { Link } from '../../../../src/backends/brokered/remote/link.js';
import {
  openChannel,
  openChannelTicket,
} from '../../../../src/backends/brokered/remote/remote-channel.js';
import { openPipe, openPipeTicket } from '../../../../src/backends/brokered/remote/remote-pipe.js';
import type { RemotePipeEnd } from '../../../../src/backends/brokered/remote/remote-pipe.js';
import { DirectBackend } from '../../direct-backend.js';

const CAPACITY = 4096;

/** To one who does not read what he is sent from some moment on. */
function dumbLink(hub: Hub): { link: Link; clog: () => void } {
  let isClogged = false;
  const arrived: Buffer[] = [];
  const session = hub.connect({
    write(bytes) {
      arrived.push(bytes);
      return !isClogged;
    },
    close: () => line.onLost(new Error('the hub ended it')),
  });
  const line: Line = {
    onBytes() {},
    onLost() {},
    write: (bytes) => session.receive(Buffer.from(bytes)),
    wait() {
      for (const bytes of arrived.splice(0)) line.onBytes(bytes);
      return true;
    },
    ref() {},
    unref() {},
    close: () => session.lost(),
  };
  const link = new Link(line);
  return {
    link,
    clog() {
      isClogged = true;
      openPipe(link, {});
    },
  };
}

let backend: DirectBackend;
let ann: Link;
let bob: Link;

beforeEach(() => {
  backend = new DirectBackend();
  ann = backend.anotherLink();
  bob = backend.anotherLink();
});

function kill(link: Link): void {
  link.close();
}

function queue(link: Link, name: string, options: ChannelOptions = {}): Channel {
  return openChannel(link, name, 'openOrCreate', options);
}

/** Of a queue that only its ticket keeps from then on. */
function ticketAlone(carrier: Pick<Channel, 'issueTicket'>, name: string): Ticket {
  const passenger = queue(ann, name);
  const ticket = carrier.issueTicket(passenger);
  passenger.close();
  return ticket;
}

function names(): string[] {
  return backend.hub.catalogue
    .list()
    .filter(({ kind }) => kind === 'queue')
    .map(({ name }) => name)
    .sort();
}

function message(...tickets: Ticket[]): Buffer {
  return Buffer.from(`in front ${tickets.join(' between ')} behind`);
}

describe('what only a ticket keeps, when its owner is killed', () => {
  it('before the message is put, goes', () => {
    const theirs = queue(bob, 'carrier');
    ticketAlone(queue(ann, 'carrier'), 'passenger');
    expect(names()).toEqual(['carrier', 'passenger']);
    kill(ann);
    expect(names()).toEqual(['carrier']);
    theirs.close();
  });

  it('after the message was put, stays, and the others go', () => {
    const theirs = queue(bob, 'carrier');
    const ours = queue(ann, 'carrier');
    const sent = ticketAlone(ours, 'sent');
    ticketAlone(ours, 'unsent');
    expect(ours.tryPutCarrying(message(sent))).toBe(0);
    kill(ann);
    expect(names()).toEqual(['carrier', 'sent']);
    expect(theirs.tryReceive()).toBeGreaterThan(0);
    openChannelTicket(bob, sent).close();
    theirs.redeemTicket(sent);
    expect(names()).toEqual(['carrier']);
    theirs.close();
  });

  it('is forgotten when it was redeemed, before that', () => {
    const { catalogue } = backend.hub;
    const tickets = new UnsentTickets(catalogue);
    for (const name of ['carrier', 'passenger']) queue(bob, name);
    const carrier = catalogue.get('carrier') as HubQueue;
    const ticket = tickets.issue(catalogue.get('passenger') as HubQueue, carrier);
    expect(tickets.isEmpty).toBe(false);
    tickets.redeem(ticket);
    expect(tickets.isEmpty).toBe(true);
  });

  it('after the message found no room, goes', () => {
    const theirs = queue(bob, 'carrier', { maxItems: 1 });
    expect(theirs.tryPut(new Uint8Array(1))).toBe(0);
    const ours = queue(ann, 'carrier');
    expect(ours.tryPutCarrying(message(ticketAlone(ours, 'passenger')))).toBe(FULL);
    kill(ann);
    expect(names()).toEqual(['carrier']);
    theirs.close();
  });

  it('after one message with several was put, stays, each of them', () => {
    const theirs = queue(bob, 'carrier');
    const ours = queue(ann, 'carrier');
    const tickets = ['a', 'b', 'c'].map((name) => ticketAlone(ours, name));
    expect(ours.tryPutCarrying(message(...tickets))).toBe(0);
    kill(ann);
    expect(names()).toEqual(['a', 'b', 'c', 'carrier']);
    theirs.close();
  });

  it('after the message was put into room that was promised, stays', () => {
    const theirs = queue(bob, 'carrier');
    const ours = queue(ann, 'carrier');
    const ticket = ticketAlone(ours, 'passenger');
    const ask = vi.spyOn(ann, 'ask');
    // Until a put asks for nothing, so that the next does neither.
    for (let asked = -1; asked !== ask.mock.calls.length;) {
      asked = ask.mock.calls.length;
      expect(ours.tryPut(new Uint8Array(8))).toBe(0);
    }
    ask.mockClear();
    expect(ours.tryPutCarrying(message(ticket))).toBe(0);
    expect(ask).not.toHaveBeenCalled();
    kill(ann);
    expect(names()).toEqual(['carrier', 'passenger']);
    theirs.close();
  });

  it('after the message was put into room that was kept for it, stays', () => {
    const theirs = queue(bob, 'carrier');
    const ours = queue(ann, 'carrier');
    const ticket = ticketAlone(ours, 'passenger');
    const large = Buffer.concat([Buffer.alloc(2 * SENT_ALONG_BYTES), message(ticket)]);
    expect(ours.tryPutCarrying(large)).toBe(0);
    kill(ann);
    expect(names()).toEqual(['carrier', 'passenger']);
    theirs.close();
  });

  it('after a message was put in which it cannot be found, stays', () => {
    const [theirs, others] = [queue(bob, 'carrier'), queue(bob, 'other')];
    const ours = queue(ann, 'carrier');
    ticketAlone(ours, 'passenger');
    ticketAlone(queue(ann, 'other'), 'of the other');
    expect(ours.tryPutCarrying(Buffer.from('some code of its own'))).toBe(0);
    kill(ann);
    expect(names()).toEqual(['carrier', 'other', 'passenger']);
    theirs.close();
    others.close();
  });

  it('after it was put into another queue than it is for, goes', () => {
    const [theirs, others] = [queue(bob, 'carrier'), queue(bob, 'other')];
    const ticket = ticketAlone(queue(ann, 'carrier'), 'passenger');
    expect(queue(ann, 'other').tryPutCarrying(message(ticket))).toBe(0);
    kill(ann);
    expect(names()).toEqual(['carrier', 'other']);
    theirs.close();
    others.close();
  });

  it('after its message was received and forwarded, stays as long as either says', () => {
    const [theirs, letters] = [queue(bob, 'carrier'), queue(bob, 'letters')];
    const ours = queue(ann, 'carrier');
    const ticket = ticketAlone(ours, 'passenger');
    expect(ours.tryPutCarrying(message(ticket))).toBe(0);
    // Killed before what is copied is put.
    const cat = backend.anotherLink();
    queue(cat, 'letters').copyTickets(message(ticket), queue(cat, 'carrier'));
    kill(cat);
    expect(names()).toEqual(['carrier', 'letters', 'passenger']);
    theirs.redeemTicket(ticket);
    expect(names()).toEqual(['carrier', 'letters']);
    letters.close();
    theirs.close();
  });

  it('after what was copied was put, stays', () => {
    const [theirs, letters] = [queue(bob, 'carrier'), queue(bob, 'letters')];
    const [ours, copies] = [queue(ann, 'carrier'), queue(ann, 'letters')];
    const forwarded = message(ticketAlone(ours, 'passenger'));
    copies.copyTickets(forwarded, ours);
    expect(copies.tryPutCarrying(forwarded)).toBe(0);
    kill(ann);
    expect(names()).toEqual(['carrier', 'letters', 'passenger']);
    letters.close();
    theirs.close();
  });
});

describe('on a pipe, what only a ticket keeps, when its owner is killed', () => {
  /** Ends of a pipe of ann's; bob has the other one. */
  function pipe(): [PipeEnd, PipeEnd] {
    const [ours, given] = openPipe(ann, { capacityBytes: CAPACITY });
    const way = queue(ann, 'way');
    const ticket = way.issueTicket(given);
    given.depart();
    const theirs = openPipeTicket(bob, ticket);
    way.redeemTicket(ticket);
    way.close();
    return [ours, theirs];
  }

  /** Without asking anybody whether there is room. */
  function sendInOnePiece(end: PipeEnd, ...messages: [bytes: Buffer, marks: number][]): void {
    const word = ann.beginTelling((end as RemotePipeEnd).handle, SEND);
    for (const [bytes, marks] of messages) word.u32(bytes.length).u32(marks).rest(bytes);
    ann.tell();
  }

  it('before the message is sent, goes', () => {
    const [ours, theirs] = pipe();
    ticketAlone(ours, 'passenger');
    kill(ann);
    expect(names()).toEqual([]);
    theirs.close();
  });

  it('after the message was sent, stays, and the others go', () => {
    const [ours, theirs] = pipe();
    const sent = ticketAlone(ours, 'sent');
    ticketAlone(ours, 'unsent');
    expect(ours.trySend(message(sent), 0)).toBe(0);
    expect(ours.trySend(message(sent), CARRYING)).toBe(0);
    kill(ann);
    expect(names()).toEqual(['sent']);
    theirs.close();
    expect(names()).toEqual([]);
  });

  it('after a message that is not said to have any, goes', () => {
    const [ours, theirs] = pipe();
    const ticket = ticketAlone(ours, 'passenger');
    expect(ours.trySend(message(ticket), 0)).toBe(0);
    kill(ann);
    expect(names()).toEqual([]);
    theirs.close();
  });

  it('after its message was sent among others in one piece, stays', () => {
    const [ours, theirs] = pipe();
    const ticket = ticketAlone(ours, 'passenger');
    sendInOnePiece(ours, [message(), 0], [message(ticket), CARRYING]);
    kill(ann);
    expect(names()).toEqual(['passenger']);
    theirs.close();
  });

  it('after parts of the message were sent, stays, whether it lies within one or across two', () => {
    const [ours, theirs] = pipe();
    const passengers = Array.from({ length: 200 }, (_, i) => `passenger ${1000 + i}`);
    const tickets = passengers.map((name) => ticketAlone(ours, name));
    expect(ours.trySendParts(message(...tickets), 0, CARRYING)).toBeGreaterThan(CAPACITY / 2);
    kill(ann);
    expect(names()).toEqual(passengers);
    theirs.close();
    expect(names()).toEqual([]);
  });

  it('after the message was sent to a hub that does not listen to him, stays', () => {
    const dumb = dumbLink(backend.hub);
    ann = dumb.link;
    const [ours, theirs] = pipe();
    const ticket = ticketAlone(ours, 'sent');
    ticketAlone(ours, 'unsent');
    dumb.clog();
    sendInOnePiece(ours, [message(ticket), CARRYING]);
    expect(theirs.tryReceive()).toBe(EMPTY);
    kill(ann);
    expect(names()).toEqual(['sent']);
    theirs.close();
  });

  it('after the other end was lost, goes', () => {
    const [ours, theirs] = pipe();
    theirs.close();
    ticketAlone(ours, 'passenger');
    kill(ann);
    expect(names()).toEqual([]);
  });
});
