import { describe, expect, it, vi } from 'vitest';

import { InterprocError } from '../../../src/errors.js';
import type { ErrorCode } from '../../../src/errors.js';
import { EMPTY } from '../../../src/contract/channel.js';
import type { Codec } from '../../../src/codec/codec.js';
import { MessageReader } from '../../../src/primitives/message-reader.js';
import { MemoryBackend } from '../memory-backend.js';
import { thrownBy } from '../thrown-by.js';

describe('a reader', () => {
  it('hands over the rest of a batch with an error that is not of this package', () => {
    const channel = new MemoryBackend().openChannel('q', 'create', { codec: 'raw' });
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
    const channel = new MemoryBackend().openChannel('q', 'create', { codec: 'raw' });
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
