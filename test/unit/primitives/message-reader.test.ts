import { describe, expect, it, vi } from 'vitest';

import { InterprocError } from '../../../src/errors.js';
import type { ErrorCode } from '../../../src/errors.js';
import { EMPTY } from '../../../src/contract/channel.js';
import type { Codec } from '../../../src/codec/codec.js';
import { MessageReader } from '../../../src/primitives/message-reader.js';
import { NOT_YET } from '../../../src/primitives/pending-waits.js';
import { DirectBackend } from '../direct-backend.js';
import { thrownBy } from '../thrown-by.js';

describe('a reader', () => {
  it('hands over the rest of a batch with an error that is not of this package', () => {
    const channel = new DirectBackend().openChannel('q', 'create', { codec: 'raw' });
    const codec: Codec<number> = {
      name: 'raw',
      encode: () => 0,
      decode(inbox, offset) {
        const value = inbox[offset] as number;
        if (value === 2) throw new RangeError('no memory');
        return value;
      },
      decodeOwn: (bytes) => bytes.length,
    };
    const arrive = () => channel;
    const reader = new MessageReader(channel, codec, arrive, undefined, () => false);
    for (const value of [1, 2, 3]) channel.tryPut(Uint8Array.of(value));
    const error = thrownBy(() => reader.takeMany(10));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ values: [1, 3] });
    channel.close();
  });

  const numbers: Codec<number> = {
    name: 'raw',
    encode: () => 0,
    decode: (inbox, offset) => inbox[offset] as number,
    decodeOwn: (bytes) => bytes[0] as number,
  };

  /** A reader whose second crossing of a batch fails. */
  function failing(code: ErrorCode) {
    const channel = new DirectBackend().openChannel('q', 'create', { codec: 'raw' });
    channel.tryPut(Uint8Array.of(1));
    const reader = new MessageReader(
      channel,
      numbers,
      () => channel,
      undefined,
      () => false,
    );
    const takeMany = channel.tryTakeMany.bind(channel);
    vi.spyOn(channel, 'tryTakeMany').mockImplementation((max) => {
      const count = takeMany(max);
      if (count === EMPTY) throw new InterprocError(code, 'the next one');
      return count;
    });
    return reader;
  }

  describe('of messages with tickets in them', () => {
    /** A reader whose codec notes what is unacknowledged while it decodes. Odd numbers carry. */
    function watching() {
      const channel = new DirectBackend().openChannel('q', 'create', { codec: 'raw' });
      const held: number[] = [];
      const codec: Codec<number> = {
        ...numbers,
        decode(inbox, offset) {
          const value = inbox[offset] as number;
          held.push(channel.stats().unacknowledged);
          if (value === 99) throw new RangeError('undecodable');
          return value;
        },
      };
      const reader = new MessageReader(
        channel,
        codec,
        () => channel,
        undefined,
        () => false,
      );
      const put = (value: number): number =>
        value % 2 === 0
          ? channel.tryPut(Uint8Array.of(value))
          : channel.tryPutCarrying(Uint8Array.of(value));
      return { channel, held, reader, put };
    }

    it('acknowledges each once it is decoded', () => {
      const { channel, held, reader, put } = watching();
      for (const value of [1, 2, 3, 4]) put(value);
      expect([reader.take(), reader.take()]).toEqual([1, 2]);
      expect(reader.takeMany(9)).toEqual([3, 4]);
      expect(held).toEqual([1, 0, 1, 0]);
      expect(channel.stats().unacknowledged).toBe(0);
      for (let i = 0; i < 4; i++) expect(channel.taskDone()).toBe(true);
      expect(channel.taskDone()).toBe(false);
    });

    it('hands over a batch around them, and lets go of what cannot be decoded', () => {
      const { channel, reader, put } = watching();
      for (const value of [2, 1, 4, 99]) put(value);
      expect(thrownBy(() => reader.takeMany(9))).toMatchObject({ values: [2, 1, 4] });
      expect(channel.stats()).toMatchObject({ unacknowledged: 0 });
      expect(channel.size()).toBe(0);
    });

    it('takes their bytes into a buffer, or leaves them', () => {
      const { channel, reader, put } = watching();
      put(1);
      expect(thrownBy(() => reader.takeInto(new Uint8Array(0)))).toMatchObject({
        code: 'ERR_TOO_LARGE',
      });
      const buffer = new Uint8Array(1);
      expect(reader.takeInto(buffer)).toBe(1);
      expect(buffer).toEqual(Uint8Array.of(1));
      expect(channel.deliveries).toBe(1);
      expect(channel.stats().unacknowledged).toBe(0);
    });

    it.each(['ERR_UNACKED', 'ERR_NO_SPACE'] as const)(
      'fails with %s as a receive does, and the message stays',
      (code) => {
        const { channel, reader, put } = watching();
        for (const value of [2, 1]) put(value);
        vi.spyOn(channel, 'tryReceive').mockImplementation(() => {
          throw new InterprocError(code, 'no room in the ledger');
        });
        expect(reader.takeMany(9)).toEqual([2]);
        expect(thrownBy(() => reader.takeMany(9))).toMatchObject({ code });
        expect(thrownBy(() => reader.take())).toMatchObject({ code });
        vi.restoreAllMocks();
        expect(reader.take()).toBe(1);
      },
    );

    it('goes on when another was quicker', () => {
      const { channel, reader, put } = watching();
      put(1);
      const receive = channel.tryReceive.bind(channel);
      vi.spyOn(channel, 'tryReceive').mockImplementationOnce(() => {
        receive();
        channel.ack(channel.receipt);
        return receive();
      });
      expect(reader.take()).toBe(NOT_YET);
      put(2);
      expect(reader.take()).toBe(2);
    });
  });

  it('tells at once of a message that is lost, and hands over the batch with it', () => {
    expect(thrownBy(() => failing('ERR_CORRUPT').takeMany(10))).toMatchObject({
      code: 'ERR_CORRUPT',
      values: [1],
    });
  });

  it.each(['ERR_EOF', 'ERR_SYSTEM', 'ERR_TOO_LARGE', 'ERR_CLOSED'] as const)(
    'leaves %s, which will be there again, to the next call',
    (code) => {
      const reader = failing(code);
      expect(reader.takeMany(10)).toEqual([1]);
      expect(thrownBy(() => reader.takeMany(10))).toMatchObject({ code });
    },
  );
});
