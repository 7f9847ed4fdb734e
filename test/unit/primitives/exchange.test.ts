import { describe, expect, it } from 'vitest';

import { CARRYING, EXCHANGE } from '../../../src/contract/pipe.js';
import type { PipeEnd } from '../../../src/contract/pipe.js';
import { codecFor } from '../../../src/codec/resolve-codec.js';
import { bindPipe } from '../../../src/primitives/bind-pipe.js';
import type { Connection } from '../../../src/primitives/connection.js';
import { HEADER_BYTES, REQUEST } from '../../../src/primitives/exchange-frame.js';
import { HandleClasses } from '../../../src/primitives/passengers.js';
import { NOT_YET } from '../../../src/primitives/pending-waits.js';
import { PipeReader } from '../../../src/primitives/pipe-reader.js';
import { PipeWriter } from '../../../src/primitives/pipe-writer.js';
import { DirectBackend } from '../direct-backend.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** An end, and who reads at the other one, with `accept` for messages of exchanges. */
function pipe(accept: (message: Uint8Array) => void, codec: 'raw' | 'structured' = 'raw') {
  const backend = new DirectBackend();
  const handles = new HandleClasses();
  const Pipe = bindPipe(() => backend, handles);
  const [end, other] = backend.openPipe({ codec, capacityBytes: 4096 });
  const arrive = handles.arriveOn(backend);
  let isClosed = false;
  const reader = new PipeReader(other, codecFor<unknown>(codec), arrive, accept, () => isClosed);
  const close = () => {
    isClosed = true;
    other.close();
  };
  return { Pipe, end, reader, close };
}

/** Sends a value as part of an exchange, with what is in it. */
function sendMarked(end: PipeEnd, value: unknown): void {
  const writer = new PipeWriter(end, codecFor<unknown>('structured'));
  writer.exchangedValue({ kind: REQUEST, detail: 0, id: 1 }, value).attempt();
}

describe('messages of exchanges', () => {
  it.each<[string, (reader: PipeReader<unknown>) => unknown]>([
    ['take', (reader) => reader.take()],
    ['takeMany', (reader) => (reader.takeMany(1) as unknown[])[0]],
    ['takeBytes', (reader) => reader.takeBytes(Infinity)],
    ['takeBytes with a limit', (reader) => reader.takeBytes(1)],
    [
      'takeBytesInto',
      (reader) => {
        const buffer = new Uint8Array(9);
        return buffer.slice(0, reader.takeBytesInto(buffer, 0) as number);
      },
    ],
    ['takeReturnable', (reader) => (reader.takeReturnable(() => {}) as { value: unknown }).value],
    ['take, after isReadable', (reader) => (expect(reader.isReadable()).toBe(true), reader.take())],
    ['take, after takeForOthers', (reader) => (reader.takeForOthers(9), reader.take())],
  ])('are handed over by %s, as bytes of their own, in their order', (_, receive) => {
    const taken: Uint8Array[] = [];
    const { end, reader } = pipe((message) => taken.push(message));
    const large = new Uint8Array(10_000).fill(7);
    end.trySend(bytes(1), EXCHANGE);
    end.trySend(bytes(2, 2), EXCHANGE);
    end.trySend(bytes(3), 0);
    expect(receive(reader)).toEqual(bytes(3));
    expect(taken).toEqual([bytes(1), bytes(2, 2)]);
    for (let gone = 0; gone < large.length;) {
      gone += end.trySendParts(large, gone, EXCHANGE);
      expect(reader.take()).toBe(NOT_YET);
    }
    expect(taken[2]).toEqual(large);
  });

  it('have their handles opened by who takes them, or lose them', () => {
    const opened: Connection<string>[] = [];
    const { Pipe, end, reader } = pipe((message) => {
      if (opened.length > 0) return;
      opened.push((reader.decodeFrom(message, HEADER_BYTES) as { b: Connection<string> }).b);
    }, 'structured');
    const [[a, b], [c, d]] = [Pipe<string>(), Pipe<string>()];
    sendMarked(end, { b });
    sendMarked(end, { d });
    expect(reader.take()).toBe(NOT_YET);
    opened[0]?.trySend('here');
    expect(a.tryRecv()).toBe('here');
    expect(() => c.tryRecv()).toThrow('is gone');
  });

  it('are consumed when who takes them throws, and do not keep a closed connection', () => {
    let accept = (): void => {
      throw new Error('taken wrongly');
    };
    const { Pipe, end, reader, close } = pipe(() => accept(), 'structured');
    const [[a, b], [c, d]] = [Pipe<string>(), Pipe<string>()];
    sendMarked(end, { b });
    sendMarked(end, { d });
    expect(() => reader.take()).toThrow('taken wrongly');
    expect(() => a.tryRecv()).toThrow('is gone');
    accept = close;
    expect(() => reader.take()).toThrow('was closed');
    expect(() => c.tryRecv()).toThrow('is gone');
  });

  it('are marked besides what they carry', () => {
    const { Pipe, end } = pipe(() => {}, 'structured');
    const [, b] = Pipe();
    const marks: number[] = [];
    const { trySend } = end;
    end.trySend = (message, mark) => (marks.push(mark), trySend.call(end, message, mark));
    sendMarked(end, 'plain');
    sendMarked(end, { b });
    expect(marks).toEqual([EXCHANGE, EXCHANGE + CARRYING]);
  });
});
