import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { structuredCodec } from '../../../../src/codec/structured.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const large: [string, unknown][] = [
  ['an object', { bytes: new Uint8Array(4_000_000) }],
  ['a text', 'x'.repeat(4_000_000)],
];

function encoded(value: unknown): Uint8Array {
  const bytes = structuredCodec.encode(value, new Uint8Array(1024));
  if (typeof bytes === 'number') throw new Error('it fits into the outbox');
  return bytes;
}

/** Whether the memory can be collected, whatever the codec remembers. */
async function isForgotten(memory: WeakRef<ArrayBufferLike>): Promise<boolean> {
  for (let i = 0; i < 10 && memory.deref() !== undefined; i++) {
    await turn();
    collect();
  }
  return memory.deref() === undefined;
}

describe('the structured codec keeps no large message', () => {
  it.each(large)('that it encoded: %s', async (_, value) => {
    const memory = new WeakRef(encoded(value).buffer);
    expect(await isForgotten(memory)).toBe(true);
  });

  it.each(large)('that it decoded: %s', async (_, value) => {
    const decode = () => {
      const bytes = encoded(value).slice();
      structuredCodec.decodeOwn(bytes);
      return new WeakRef(bytes.buffer);
    };
    expect(await isForgotten(decode())).toBe(true);
  });
});
