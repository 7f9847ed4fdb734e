import { afterEach, describe, expect, it, vi } from 'vitest';

import { TAKE as TAKE_SIDE } from '../../../../src/contract/channel.js';
import { ACQUIRE, ACQUIRED, CHANGE, SHARE } from '../../../../src/contract/locks.js';
import type { StateKind } from '../../../../src/contract/state.js';
import { END, PUT, ROOM_IS_WANTED } from '../../../../src/backends/brokered/channel-operations.js';
import { Event } from '../../../../src/backends/brokered/hub/event.js';
import { HubQueue } from '../../../../src/backends/brokered/hub/hub-queue.js';
import type { HubState } from '../../../../src/backends/brokered/hub/hub-state.js';
import { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import {
  ARM,
  CLOSE,
  ISSUE_TICKET,
  OPEN_CHANNEL,
  OPEN_PIPE,
  OPEN_STATE,
  READY,
} from '../../../../src/backends/brokered/operations.js';
import { pipeGeometry, writeGeometry } from '../../../../src/backends/brokered/pipe-geometry.js';
import { CONSUMED, SEND, SUBSCRIBE } from '../../../../src/backends/brokered/pipe-operations.js';
import {
  RELEASE,
  RELEASE_WRITE,
  SET_EVENT,
  TRY_ACQUIRE,
  TRY_WRITE,
} from '../../../../src/backends/brokered/state-operations.js';
import { RawClient } from './frames-of-clients.js';

function openQueue(client: RawClient, name: string | null): number {
  const reply = client.ask(0, OPEN_CHANNEL, (body) =>
    body.json(name).text('openOrCreate').json({}),
  );
  return reply.readUInt32LE(0);
}

function openState(client: RawClient, kind: StateKind): number {
  const reply = client.ask(0, OPEN_STATE, (body) =>
    body.text('openOrCreate').text(kind).json({
      kind,
      byteLength: 0,
      schema: '',
      parameter: 0,
      persist: false,
      maxParticipants: 8,
    }),
  );
  return reply.readUInt32LE(0);
}

function put(client: RawClient, queue: number, isFast: boolean): void {
  client.ask(queue, PUT, (body) => body.bool(false).bool(isFast).rest(Buffer.from('message')));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a hub', () => {
  it.each(['close', 'death'])(
    'survives the end of a chain of handles inside messages, by %s',
    (end) => {
      const hub = new Hub();
      const client = new RawClient(hub);
      let carrier = openQueue(client, null);
      for (let i = 0; i < 20_000; i++) {
        const next = openQueue(client, null);
        client.ask(next, ISSUE_TICKET, (body) => body.u32(carrier));
        client.tell(carrier, CLOSE);
        carrier = next;
      }
      expect(() => (end === 'close' ? client.tell(carrier, CLOSE) : client.lost())).not.toThrow();
      expect(client.isEnded).toBe(false);
      expect(hub.catalogue.isEmpty).toBe(true);
    },
  );

  it('asks once for the room that it promised, however often a queue is ended', () => {
    const hub = new Hub();
    const [slow, hostile] = [new RawClient(hub), new RawClient(hub)];
    const [queue, ended] = [openQueue(slow, 'q'), openQueue(hostile, 'q')];
    put(slow, queue, true);
    for (let i = 0; i < 10; i++) hostile.tell(ended, END);
    expect(slow.heard.filter(({ operation }) => operation === ROOM_IS_WANTED)).toHaveLength(1);
  });

  it('keeps one wait of a handle on a side, however often it is told', () => {
    const hub = new Hub();
    const [hostile, producer] = [new RawClient(hub), new RawClient(hub)];
    const [waits, puts] = [openQueue(hostile, 'q'), openQueue(producer, 'q')];
    for (let epoch = 1; epoch <= 10; epoch++) {
      hostile.tell(waits, ARM, (body) => body.u8(TAKE_SIDE).u32(epoch).u32(0));
    }
    for (let i = 0; i < 10; i++) put(producer, puts, false);
    expect(hostile.heard.filter(({ operation }) => operation === READY)).toHaveLength(1);
  });

  it('keeps no semaphore whose permits cannot be told to whoever asks', () => {
    const hostile = new RawClient(new Hub());
    const options = {
      kind: 'semaphore',
      byteLength: 0,
      schema: '',
      parameter: 2 ** 40,
      persist: false,
      maxParticipants: 8,
    };
    expect(() =>
      hostile.ask(0, OPEN_STATE, (body) => body.text('openOrCreate').text('s').json(options)),
    ).toThrow('ERR_INVALID_ARG');
  });

  it('sends no more of a pipe than its capacity to who has not consumed it, whatever he says', () => {
    const hostile = new RawClient(new Hub());
    const from = hostile
      .ask(0, OPEN_PIPE, (body) =>
        writeGeometry(
          body,
          pipeGeometry({ capacityBytes: 4096, maxMessageBytes: 1024, duplex: true }),
        ),
      )
      .readUInt32LE(0);
    const to = from + 1;
    hostile.tell(to, SUBSCRIBE, (body) => body.u32(2 ** 32 - 1));
    for (let i = 0; i < 8; i++) {
      hostile.tell(to, CONSUMED, (body) => body.u32(i === 0 ? 2 ** 32 - 1 : 0));
      if (hostile.isEnded) break;
      hostile.tell(from, SEND, (body) => body.u32(1000).u32(0).rest(Buffer.alloc(1000)));
    }
    const sent = hostile.heard
      .filter(({ handle, operation }) => handle === to && operation === READY)
      .reduce((sum, { body }) => sum + body.length, 0);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(4096 + 1024);
  });

  it('lets go of who cannot be told what he waits for, and of nobody else: a message', () => {
    const hub = new Hub();
    const [hostile, other, putter] = [new RawClient(hub), new RawClient(hub), new RawClient(hub)];
    const puts = openQueue(putter, 'q');
    for (const client of [hostile, other]) {
      client.tell(openQueue(client, 'q'), ARM, (body) => body.u8(TAKE_SIDE).u32(1).u32(8));
    }
    vi.spyOn(HubQueue.prototype, 'lend').mockImplementationOnce(() => {
      throw new RangeError('no such number');
    });
    put(putter, puts, false);
    expect([hostile.isEnded, other.isEnded, putter.isEnded]).toEqual([true, false, false]);
    expect(other.heard.map(({ operation }) => operation)).toEqual([READY]);
  });

  it('lets go of who cannot be told what he waits for, and of nobody else: an event', () => {
    const hub = new Hub();
    const [hostile, other, setter] = [new RawClient(hub), new RawClient(hub), new RawClient(hub)];
    for (const client of [hostile, other]) {
      client.tell(openState(client, 'event'), ARM, (body) => body.u8(CHANGE).u32(1).f64(0));
    }
    vi.spyOn(Event.prototype, 'sayReady').mockImplementationOnce((_user, _side, word) => {
      word.u32(-1);
    });
    setter.tell(openState(setter, 'event'), SET_EVENT);
    expect([hostile.isEnded, other.isEnded, setter.isEnded]).toEqual([true, false, false]);
    expect(other.heard.map(({ operation }) => operation)).toEqual([READY]);
  });

  it.each([
    { kind: 'lock', take: TRY_ACQUIRE, release: RELEASE, first: ACQUIRE },
    { kind: 'rwlock', take: TRY_WRITE, release: RELEASE_WRITE, first: SHARE },
  ] as const)(
    'lets go of who does not come and cannot be passed over, and of nobody else: a $kind',
    async ({ kind, take, release, first }) => {
      const hub = new Hub();
      const [owner, hostile, other] = [new RawClient(hub), new RawClient(hub), new RawClient(hub)];
      const owned = openState(owner, kind);
      expect(owner.ask(owned, take).readInt32LE(0)).toBe(ACQUIRED);
      hostile.tell(openState(hostile, kind), ARM, (body) => body.u8(first).u32(1));
      other.tell(openState(other, kind), ARM, (body) => body.u8(ACQUIRE).u32(1));
      owner.tell(owned, release);
      expect(hostile.heard.map(({ operation }) => operation)).toEqual([READY]);
      vi.spyOn(hub.catalogue.get(kind) as HubState, 'changed').mockImplementationOnce(() => {
        throw new RangeError('no such place');
      });
      while (other.heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(other.heard.map(({ operation }) => operation)).toEqual([READY]);
      expect([hostile.isEnded, other.isEnded, owner.isEnded]).toEqual([true, false, false]);
    },
  );
});
