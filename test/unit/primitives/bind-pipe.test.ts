import { describe, expect, it } from 'vitest';

import type { Backend } from '../../../src/contract/channel.js';
import { codecFor } from '../../../src/codec/resolve-codec.js';
import { bindPipe } from '../../../src/primitives/bind-pipe.js';
import { bindQueue } from '../../../src/primitives/bind-queue.js';
import { Connection, OpenedEnd } from '../../../src/primitives/connection.js';
import { HandleClasses } from '../../../src/primitives/passengers.js';
import { PipeWriter } from '../../../src/primitives/pipe-writer.js';
import type { Queue } from '../../../src/primitives/queue.js';
import { Struct } from '../../../src/shapes/struct.js';
import { DirectBackend } from '../direct-backend.js';
import { thrownBy } from '../thrown-by.js';

describe('Pipe', () => {
  it('says what a backend without pipes is missing', () => {
    const backend = { kind: 'socket', capabilities: { pipes: false } } as Backend;
    const error = thrownBy(() => bindPipe(() => backend)());
    expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED' });
    expect((error as Error).message).toMatch(/'pipes'.*'socket'/);
  });

  it('asks for the backend that is named', () => {
    const backend = new DirectBackend();
    const asked: unknown[] = [];
    const Pipe = bindPipe((kind) => (asked.push(kind), backend));
    Pipe();
    Pipe({ backend: 'native' });
    expect(asked).toEqual([undefined, 'native']);
  });

  it('believes the struct in a message only if it is that of the pipe, and closes the end', () => {
    const backend = new DirectBackend();
    const handles = new HandleClasses();
    bindPipe(() => backend, handles);
    const carrier = backend.openChannel('carrier', 'create', {});
    const { schema } = Struct({ x: 'float64' });
    for (const [codec, given, code] of [
      ['raw', schema, 'ERR_MISMATCH'],
      ['raw', 'no schema', 'ERR_CORRUPT'],
      ['struct:00000000000000000000000000000000', undefined, 'ERR_MISMATCH'],
      ['unheard-of', undefined, 'ERR_MISMATCH'],
    ] as const) {
      const [left, travelling] = backend.openPipe({ codec });
      const ticket = carrier.issueTicket(travelling);
      travelling.depart();
      const arrive = () => handles.arriveOn(backend)('connection', ticket, given);
      expect(thrownBy(arrive)).toMatchObject({ code });
      expect(left.peerIsGone()).toBe(true);
      left.close();
    }
  });

  it('does not take handles in a message that was passed on as bytes for those of the next', () => {
    const backend = new DirectBackend();
    const handles = new HandleClasses();
    bindPipe(() => backend, handles);
    const Queues = bindQueue(() => backend, handles);
    const [end, other] = backend.openPipe({});
    const codec = codecFor<unknown>('structured');
    const connection = new Connection(new OpenedEnd(other, codec, handles.arriveOn(backend)));
    const writer = new PipeWriter(end, codec);
    const encoded = writer.encode({ q: Queues.create('kept') });
    expect(end.trySendOutbox(encoded as number, 0)).toBe(0);
    const { q } = connection.tryRecv() as { q: Queue };
    end.trySend(Uint8Array.of(255), 0);
    expect(() => connection.tryRecv()).toThrow('no structured clone');
    expect(q.size).toBe(0);
  });
});
