import { describe, expect, it } from 'vitest';

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
});
