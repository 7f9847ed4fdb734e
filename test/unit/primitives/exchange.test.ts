import { describe, expect, it } from 'vitest';

import { CARRYING, EXCHANGE } from '../../../src/contract/pipe.js';
import type { PipeEnd } from '../../../src/contract/pipe.js';
import { codecFor } from '../../../src/codec/resolve-codec.js';
import { bindPipe } from '../../../src/primitives/bind-pipe.js';
import { Connection, OpenedEnd, setExchange } from '../../../src/primitives/connection.js';
import { decodeOwnWith, HandleClasses } from '../../../src/primitives/passengers.js';
import { PipeWriter } from '../../../src/primitives/pipe-writer.js';
import { MemoryBackend } from '../memory-backend.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** An end, and the connection at the other one. */
function pipe(codec: 'raw' | 'structured' = 'raw') {
  const backend = new MemoryBackend();
  const handles = new HandleClasses();
  const Pipe = bindPipe(() => backend, handles);
  const [end, other] = backend.openPipe({ codec, capacityBytes: 4096 });
  const arrive = handles.arriveOn(backend);
  const connection = new Connection(new OpenedEnd(other, codecFor<unknown>(codec), arrive));
  return { Pipe, end, connection, arrive };
}

/** Sends a value as part of an exchange, with what is in it. */
function sendMarked(end: PipeEnd, value: unknown): void {
  const writer = new PipeWriter(end, codecFor<unknown>('structured'));
  expect(writer.offer(writer.encode(value), EXCHANGE)).toBe(true);
}

describe('messages of exchanges', () => {
  it('are dropped where nobody takes them', async () => {
    const { end, connection } = pipe();
    end.trySend(bytes(1), EXCHANGE);
    end.trySend(bytes(2), 0);
    end.trySend(bytes(3), EXCHANGE);
    expect(await connection.recv()).toEqual(bytes(2));
    expect(connection.tryRecv()).toBeUndefined();
  });

  it.each<[string, (connection: Connection) => unknown]>([
    ['tryRecv', (connection) => connection.tryRecv()],
    ['recvMany', async (connection) => (await connection.recvMany({ max: 1 }))[0]],
    ['tryRecvBytes', (connection) => connection.tryRecvBytes()],
    [
      'recvBytesInto',
      async (connection) => {
        const buffer = new Uint8Array(9);
        return buffer.slice(0, await connection.recvBytesInto(buffer));
      },
    ],
  ])('are handed over by %s, as bytes of their own, in their order', async (_, receive) => {
    const { end, connection } = pipe();
    const taken: Uint8Array[] = [];
    setExchange(connection, (message) => taken.push(message));
    const large = new Uint8Array(10_000).fill(7);
    end.trySend(bytes(1), EXCHANGE);
    end.trySend(bytes(2, 2), EXCHANGE);
    end.trySend(bytes(3), 0);
    expect(await receive(connection)).toEqual(bytes(3));
    expect(taken).toEqual([bytes(1), bytes(2, 2)]);
    for (let gone = 0; gone < large.length;) {
      gone += end.trySendParts(large, gone, EXCHANGE);
      expect(connection.tryRecv()).toBeUndefined();
    }
    expect(taken[2]).toEqual(large);
  });

  it('have their handles opened by who takes them, or lose them', () => {
    const { Pipe, end, connection, arrive } = pipe('structured');
    const [[a, b], [c, d]] = [Pipe<string>(), Pipe<string>()];
    sendMarked(end, { b });
    sendMarked(end, { d });
    const opened: Connection<string>[] = [];
    setExchange(connection, (message) => {
      if (opened.length > 0) return;
      const value = decodeOwnWith(arrive, codecFor<unknown>('structured'), message);
      opened.push((value as { b: Connection<string> }).b);
    });
    expect(connection.tryRecv()).toBeUndefined();
    opened[0]?.trySend('here');
    expect(a.tryRecv()).toBe('here');
    expect(() => c.tryRecv()).toThrow('is gone');
  });

  it('are consumed when who takes them throws, and do not keep a closed connection', () => {
    const { Pipe, end, connection } = pipe('structured');
    const [[a, b], [c, d]] = [Pipe<string>(), Pipe<string>()];
    sendMarked(end, { b });
    sendMarked(end, { d });
    setExchange(connection, () => {
      throw new Error('taken wrongly');
    });
    expect(() => connection.tryRecv()).toThrow('taken wrongly');
    expect(() => a.tryRecv()).toThrow('is gone');
    setExchange(connection, () => connection.close());
    expect(() => connection.tryRecv()).toThrow('is closed');
    expect(() => c.tryRecv()).toThrow('is gone');
  });

  it('are marked besides what they carry', () => {
    const { Pipe, end, connection } = pipe('structured');
    const [, b] = Pipe();
    const marks: number[] = [];
    const { trySend } = end;
    end.trySend = (message, mark) => (marks.push(mark), trySend.call(end, message, mark));
    sendMarked(end, 'plain');
    sendMarked(end, { b });
    expect(marks).toEqual([EXCHANGE, EXCHANGE + CARRYING]);
    connection.close();
  });
});
