import { describe, expect, it } from 'vitest';

import { RingReader, RingWriter } from '../../../src/backends/brokered/rings/byte-ring.js';
import { thrownBy } from '../thrown-by.js';

const TAIL = 0;
const HEAD = 1;

/** As if so many bytes had gone through it. */
function ring(size: number, position = 0) {
  const words = Int32Array.of(position, position);
  const bytes = new Uint8Array(size);
  const writer = new RingWriter(words, TAIL, HEAD, bytes);
  const reader = new RingReader(words, TAIL, HEAD, bytes);
  return { words, writer, reader };
}

function readAll(reader: RingReader): string {
  const target = Buffer.alloc(64);
  return target.toString('latin1', 0, reader.read(target));
}

describe('a ring of bytes', () => {
  it('holds as many as it has room for, in the order in which they came', () => {
    const { writer, reader } = ring(8);
    expect(writer.write(Buffer.from('abc'), 0)).toBe(3);
    expect(writer.write(Buffer.from('defghij'), 0)).toBe(5);
    expect(writer.hasRoom()).toBe(false);
    expect(writer.write(Buffer.from('k'), 0)).toBe(0);
    expect(readAll(reader)).toBe('abcdefgh');
    expect(reader.hasBytes()).toBe(false);
    expect(readAll(reader)).toBe('');
  });

  it('goes on where a write stopped', () => {
    const { writer, reader } = ring(4);
    const source = Buffer.from('abcdefghij');
    let text = '';
    for (let at = 0; at < source.length;) {
      at += writer.write(source, at);
      text += readAll(reader);
    }
    expect(text).toBe('abcdefghij');
  });

  it('gives what fits into the target, and the rest later', () => {
    const { writer, reader } = ring(8, 6);
    writer.write(Buffer.from('abcdef'), 0);
    const target = Buffer.alloc(4);
    expect([reader.read(target), target.toString('latin1')]).toEqual([4, 'abcd']);
    expect(readAll(reader)).toBe('ef');
  });

  it('is not read before what was copied is released', () => {
    const { writer, reader } = ring(8, 6);
    expect(writer.isRead()).toBe(true);
    writer.write(Buffer.from('abcdefgh'), 0);
    const target = Buffer.alloc(8);
    expect([reader.copy(target), target.toString('latin1')]).toEqual([8, 'abcdefgh']);
    expect([writer.isRead(), writer.hasRoom()]).toEqual([false, false]);
    reader.release(5);
    expect([writer.isRead(), writer.write(Buffer.from('ijklmn'), 0)]).toEqual([false, 5]);
    expect(readAll(reader)).toBe('fghijklm');
    expect(writer.isRead()).toBe(true);
  });

  it.each([5, 7, 2 ** 31 - 3, 2 ** 32 - 3])('is the same after %d bytes', (position) => {
    const { writer, reader } = ring(8, position);
    expect(writer.write(Buffer.from('abcdef'), 0)).toBe(6);
    expect(readAll(reader)).toBe('abcdef');
    expect(writer.write(Buffer.from('ghijklmnop'), 0)).toBe(8);
    expect(writer.write(Buffer.from('q'), 0)).toBe(0);
    expect(readAll(reader)).toBe('ghijklmn');
  });

  it('believes no tail that is further than the ring is long', () => {
    const { words, reader } = ring(8);
    Atomics.store(words, TAIL, 9);
    expect(thrownBy(() => readAll(reader))).toMatchObject({ code: 'ERR_CORRUPT' });
    Atomics.store(words, TAIL, -1);
    expect(thrownBy(() => readAll(reader))).toMatchObject({ code: 'ERR_CORRUPT' });
  });
});
