import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EMPTY, ENDED, FULL, LARGE, PUT, TAKE } from '../../../../src/contract/channel.js';
import type { Channel, ChannelOptions } from '../../../../src/contract/channel.js';
import { DirectBackend } from '../../direct-backend.js';

const HANDLES = 3;
const BLOCK = 64;
const RUNS = 60;

interface Message {
  readonly id: number;
  readonly length: number;
  deliveries: number;
  takesRoom: boolean;
}

/** A queue as one thread must see it, as plainly as it can be said. */
class Plain {
  readonly messages: Message[] = [];
  readonly held = new Map<Message, number>();
  readonly taken = Array.from({ length: HANDLES }, () => 0);
  ended = false;

  constructor(
    readonly capacity: number,
    readonly maxItems: number,
  ) {}

  get isFull(): boolean {
    return !this.fits(0);
  }

  fits(length: number): boolean {
    const standing = this.messages.filter(({ takesRoom }) => takesRoom);
    if (this.maxItems > 0 && standing.length >= this.maxItems) return false;
    const room = (bytes: number) => Math.max(1, Math.ceil(bytes / BLOCK)) * BLOCK;
    const used = standing.reduce((sum, message) => sum + room(message.length), 0);
    return used + room(length) <= this.capacity;
  }

  put(id: number, length: number): number {
    if (this.ended) return ENDED;
    if (!this.fits(length)) return FULL;
    this.messages.push({ id, length, deliveries: 0, takesRoom: true });
    return 0;
  }

  take(handle: number): Message | number {
    const [message] = this.messages;
    const isHeldElsewhere = [...this.held.values()].some((holder) => holder !== handle);
    if (message === undefined) return this.ended && !isHeldElsewhere ? ENDED : EMPTY;
    this.messages.shift();
    message.deliveries++;
    message.takesRoom = false;
    return message;
  }

  giveBack(message: Message): void {
    this.held.delete(message);
    this.messages.push(message);
    this.messages.sort((a, b) => a.id - b.id);
  }

  get isFinished(): boolean {
    return (
      this.messages.length === 0 && this.held.size === 0 && this.taken.every((count) => count === 0)
    );
  }
}

const ACTS = [
  'put',
  'put',
  'putMany',
  'take',
  'take',
  'take',
  'takeInto',
  'takeMany',
  'receive',
  'ack',
  'nack',
  'undeliver',
  'taskDone',
  'arm',
  'arm to put',
  'disarm',
  'turn',
  'look',
  'reopen',
] as const;
type Act = readonly [handle: number, act: (typeof ACTS)[number], count: number];

class Pair {
  readonly plain: Plain;
  readonly #backend = new DirectBackend();
  readonly #channels: Channel[];
  readonly #held = new Map<Message, number>();
  readonly #into = new Uint8Array(4096);
  #ids = 0;

  constructor(options: ChannelOptions) {
    const first = this.#backend.openChannel('q', 'create', options);
    this.plain = new Plain(first.geometry.capacityBytes, first.geometry.maxItems);
    this.#channels = [first];
    while (this.#channels.length < HANDLES) this.#channels.push(this.#open());
  }

  #open(): Channel {
    return this.#backend.openChannel('q', 'open', {});
  }

  #next(length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(4, length)).fill(this.#ids);
    new DataView(bytes.buffer).setUint32(0, ++this.#ids);
    return bytes;
  }

  async do([handle, act, count]: Act): Promise<void> {
    const { plain } = this;
    const channel = this.#channels[handle] as Channel;
    switch (act) {
      case 'put':
        for (let i = 0; i < count; i++) {
          const bytes = this.#next(i * 17);
          expect(channel.tryPut(bytes)).toBe(plain.put(this.#ids, bytes.length));
        }
        return;
      case 'putMany': {
        const from = this.#ids;
        const messages = Array.from({ length: count + 1 }, (_, i) => this.#next(i * 9));
        let done = 0;
        let status = 0;
        while (done < messages.length && status >= 0) {
          status = channel.tryPutMany(messages, done);
          if (status === 0) break;
          done += Math.max(0, status);
        }
        for (const [i, { length }] of messages.entries()) {
          const expected = plain.put(from + 1 + i, length);
          expect(i < done).toBe(expected === 0);
          if (expected !== 0) break;
        }
        return;
      }
      case 'take':
        for (let i = 0; i < count; i++) this.#take(handle, channel, () => channel.tryTake());
        return;
      case 'takeInto':
        this.#take(handle, channel, () => channel.tryTakeInto(this.#into), this.#into);
        return;
      case 'takeMany':
        this.#takeMany(handle, channel, count + 1);
        return;
      case 'receive': {
        const expected = plain.take(handle);
        const length = channel.tryReceive();
        if (typeof expected === 'number') {
          expect(length).toBe(expected);
          return;
        }
        this.#expectSame(expected, channel, length, channel.inbox);
        plain.held.set(expected, handle);
        this.#held.set(expected, channel.receipt);
        return;
      }
      case 'ack':
      case 'nack':
      case 'undeliver': {
        const own = [...plain.held].find(([, holder]) => holder === handle)?.[0];
        if (own === undefined) return;
        // What had come for one that waits is not behind what is given back.
        if (act !== 'ack') this.#disarmAll();
        channel[act](this.#held.get(own) as number);
        this.#held.delete(own);
        if (act === 'undeliver') own.deliveries--;
        if (act === 'ack') plain.held.delete(own);
        else plain.giveBack(own);
        return;
      }
      case 'taskDone': {
        const had = plain.taken[handle] as number;
        expect(channel.taskDone()).toBe(had > 0);
        plain.taken[handle] = Math.max(0, had - 1);
        return;
      }
      case 'arm':
        // Of two that wait each may get one, whoever looks first.
        this.#disarmAll();
        channel.arm(TAKE);
        return;
      case 'arm to put':
        channel.disarm(PUT);
        channel.arm(PUT);
        return;
      case 'disarm':
        channel.disarm(TAKE);
        channel.disarm(PUT);
        return;
      case 'turn':
        for (let i = 0; i < count; i++) await turn();
        return;
      case 'look':
        this.#look(handle, channel);
        return;
      case 'reopen':
        this.#disarmAll();
        channel.close();
        for (const [message, holder] of plain.held) if (holder === handle) plain.giveBack(message);
        plain.taken[handle] = 0;
        this.#channels[handle] = this.#open();
    }
  }

  #disarmAll(): void {
    for (const channel of this.#channels) channel.disarm(TAKE);
  }

  #look(handle: number, channel: Channel): void {
    const { plain } = this;
    expect({
      size: channel.size(),
      isFull: channel.isFull(),
      isFinished: channel.isFinished(),
      hasUnfinished: channel.hasUnfinished(),
      ended: channel.ended,
      unacknowledged: channel.stats().unacknowledged,
      isReadable: channel.isReadable(),
    }).toEqual({
      size: plain.messages.length,
      isFull: plain.isFull,
      isFinished: plain.isFinished,
      hasUnfinished:
        (plain.taken[handle] as number) > 0 || [...plain.held.values()].includes(handle),
      ended: plain.ended,
      unacknowledged: plain.held.size,
      isReadable: plain.messages.length > 0,
    });
  }

  #take(handle: number, channel: Channel, call: () => number, from = channel.inbox): void {
    const expected = this.plain.take(handle);
    const length = call();
    if (typeof expected === 'number') {
      expect(length).toBe(expected);
      return;
    }
    (this.plain.taken[handle] as number)++;
    this.#expectSame(expected, channel, length, from);
  }

  #takeMany(handle: number, channel: Channel, max: number): void {
    const count = channel.tryTakeMany(max);
    if (count < 0) {
      expect(this.plain.take(handle)).toBe(count);
      return;
    }
    expect(count).toBeLessThanOrEqual(max);
    for (let i = 0; i < count; i++) {
      const expected = this.plain.take(handle) as Message;
      (this.plain.taken[handle] as number)++;
      const offset = channel.offsets[i] as number;
      const bytes = channel.inbox.subarray(offset);
      this.#expectSame(expected, channel, channel.lengths[i] as number, bytes);
    }
  }

  #expectSame(expected: Message, channel: Channel, length: number, bytes: Uint8Array): void {
    expect(length).not.toBe(LARGE);
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    expect({ id, length, deliveries: channel.deliveries }).toEqual({
      id: expected.id,
      length: expected.length,
      deliveries: expected.deliveries,
    });
    for (let i = 4; i < length; i++) expect(bytes[i]).toBe((expected.id - 1) % 256);
  }

  /** All see the end, and nothing is left. */
  async finish(): Promise<void> {
    const { plain } = this;
    (this.#channels[0] as Channel).end();
    plain.ended = true;
    for (const handle of this.#channels.keys()) await this.do([handle, 'reopen', 0]);
    while (plain.messages.length > 0) await this.do([1, 'take', 1]);
    for (const handle of this.#channels.keys()) {
      await this.do([handle, 'take', 1]);
      await this.do([handle, 'put', 1]);
    }
    for (const channel of this.#channels) channel.close();
    expect(this.#backend.registry.list()).toMatchObject([{ name: 'q', size: 0, participants: 0 }]);
  }
}

describe('a queue behind a hub, seen by one thread', () => {
  const acts = fc.array(fc.tuple(fc.nat(HANDLES - 1), fc.constantFrom(...ACTS), fc.nat(20)), {
    maxLength: 80,
    size: 'max',
  });

  it.each<[string, ChannelOptions]>([
    ['of the least capacity', { capacityBytes: 4096 }],
    ['of counted items', { capacityBytes: 4096, maxItems: 7 }],
    ['of some room', { capacityBytes: 16_384 }],
  ])('is exact, whatever its handles do: %s', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(acts, async (all) => {
        const pair = new Pair({ ...options, persist: true });
        for (const act of all) await pair.do(act);
        await pair.finish();
      }),
      { numRuns: RUNS },
    );
  });
});
