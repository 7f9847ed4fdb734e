import { describe, expect, it } from 'vitest';

import { TAKE as TAKE_SIDE } from '../../../../src/contract/channel.js';
import { PUT, TAKE } from '../../../../src/backends/brokered/channel-operations.js';
import { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import { ARM, DISARM, OPEN_CHANNEL, READY } from '../../../../src/backends/brokered/operations.js';
import { RawClient } from './frames-of-clients.js';

const ANY_LENGTH = 2 ** 32 - 1;

function openQueue(client: RawClient): number {
  const reply = client.ask(0, OPEN_CHANNEL, (body) => body.json('q').text('openOrCreate').json({}));
  return reply.readUInt32LE(0);
}

function put(client: RawClient, queue: number, message: string): void {
  client.ask(queue, PUT, (body) => body.bool(false).bool(false).rest(Buffer.from(message)));
}

function arm(client: RawClient, queue: number, epoch: number): RawClient {
  return client.add(queue, ARM, (body) => body.u8(TAKE_SIDE).u32(epoch).u32(8));
}

function disarm(client: RawClient, queue: number, epoch: number): RawClient {
  return client.add(queue, DISARM, (body) => body.u8(TAKE_SIDE).u32(epoch));
}

describe('a wait that is withdrawn before its answer has left', () => {
  it('gets no message, so that another has it', () => {
    const hub = new Hub();
    const [producer, quitter, consumer] = [
      new RawClient(hub),
      new RawClient(hub),
      new RawClient(hub),
    ];
    const [from, quits, to] = [openQueue(producer), openQueue(quitter), openQueue(consumer)];
    put(producer, from, 'message');
    arm(quitter, quits, 1);
    disarm(quitter, quits, 1).send();
    const reply = consumer.ask(to, TAKE, (body) => body.u32(ANY_LENGTH).u32(1));
    expect(reply.readInt32LE(0)).toBe(1);
  });

  it('is not there any more when a message comes', () => {
    const hub = new Hub();
    const [producer, quitter, consumer] = [
      new RawClient(hub),
      new RawClient(hub),
      new RawClient(hub),
    ];
    const [from, quits, to] = [openQueue(producer), openQueue(quitter), openQueue(consumer)];
    put(producer, from, 'first');
    arm(quitter, quits, 1);
    disarm(quitter, quits, 1);
    quitter.ask(quits, TAKE, (body) => body.u32(ANY_LENGTH).u32(1));
    arm(consumer, to, 1).send();
    put(producer, from, 'second');
    expect(quitter.heard.filter(({ operation }) => operation === READY)).toEqual([]);
    expect(consumer.heard.filter(({ operation }) => operation === READY)).toHaveLength(1);
  });
});
