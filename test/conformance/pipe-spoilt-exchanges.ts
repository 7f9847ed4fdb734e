import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { EXCHANGE } from '../../src/contract/pipe.js';
import type { PipeEnd, PipeOpener } from '../../src/contract/pipe.js';
import { codecNamed } from '../../src/codec/resolve-codec.js';
import { Connection, OpenedEnd } from '../../src/primitives/connection.js';
import { FAILURE, REQUEST, RESPONSE, writeHeader } from '../../src/primitives/exchange-frame.js';
import type { FrameKind } from '../../src/primitives/exchange-frame.js';
import { pipeBenchFor } from './pipe-subject.js';
import type { PipeBench, PipeSubject } from './pipe-subject.js';
import { coded } from './subject.js';

const codec = codecNamed('structured', 'The connection');

function frame(kind: number, id: number, body: Uint8Array, detail = 0): Uint8Array {
  const bytes = new Uint8Array(8 + body.length);
  writeHeader(bytes, { kind: kind as FrameKind, detail, id });
  bytes.set(body, 8);
  return bytes;
}

function bodyOf(value: unknown): Uint8Array {
  const bytes = new Uint8Array(1024);
  const encoded = codec.encode(value, bytes);
  return typeof encoded === 'number' ? bytes.subarray(0, encoded) : encoded;
}

export function spoiltExchanges(subject: PipeSubject): void {
  describe('an other end that is broken', () => {
    const bench = pipeBenchFor(subject);

    /** A connection, and the other end without anything that would keep to the rules. */
    function scene(to: PipeBench): [Connection, PipeEnd] {
      const [ours, theirs] = (subject.backend as unknown as PipeOpener).openPipe({});
      const arrive = () => {
        throw new Error('no handle was sent');
      };
      to.keep(theirs);
      return [to.keep(new Connection(new OpenedEnd(ours, codec, arrive))), theirs];
    }

    /** The id of the next message, which is a request. */
    function idOfNext(theirs: PipeEnd): number {
      const bytes = theirs.tryReceiveCopy() as Uint8Array;
      expect(bytes[0]).toBe(REQUEST);
      return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
    }

    async function next(theirs: PipeEnd): Promise<Uint8Array> {
      for (;;) {
        const bytes = theirs.tryReceiveCopy();
        if (typeof bytes !== 'number') return bytes;
        await turn();
      }
    }

    it('fails pending requests with what is no message of an exchange, and goes on', async () => {
      const [connection, theirs] = scene(bench);
      for (const bytes of [new Uint8Array(), new Uint8Array(7), new Uint8Array(20).fill(255)]) {
        const call = connection.request(1);
        idOfNext(theirs);
        theirs.trySend(bytes, EXCHANGE);
        await expect(call).rejects.toEqual(coded('ERR_CORRUPT'));
      }
      const call = connection.request(1);
      theirs.trySend(frame(RESPONSE, idOfNext(theirs), bodyOf('fine')), EXCHANGE);
      expect(await call).toBe('fine');
      theirs.trySend(bodyOf('a message'), 0);
      expect(await connection.recv()).toBe('a message');
    });

    it('fails the request whose response cannot be read', async () => {
      const [connection, theirs] = scene(bench);
      const calls = [connection.request(1), connection.request(2), connection.request(3)];
      const [first, second, third] = calls.map(() => idOfNext(theirs)) as [number, number, number];
      const noise = new Uint8Array(3).fill(255);
      theirs.trySend(frame(RESPONSE, second, noise), EXCHANGE);
      theirs.trySend(frame(FAILURE, third, noise), EXCHANGE);
      theirs.trySend(frame(RESPONSE, first, bodyOf('fine')), EXCHANGE);
      const [fine, unread, failed] = await Promise.allSettled(calls);
      expect(fine).toMatchObject({ value: 'fine' });
      expect(unread).toMatchObject({ reason: coded('ERR_DECODE') });
      expect(failed).toMatchObject({ reason: coded('ERR_REQUEST') });
    });

    it.each<[string, (connection: Connection) => unknown]>([
      ['readable', (connection) => connection.readable],
      ['tryRecv', (connection) => connection.tryRecv('none') === 'none'],
      ['tryRecvBytes', (connection) => connection.tryRecvBytes(1000)],
    ])('may give a message up half way, which %s has met', async (_, look) => {
      const [connection, theirs] = scene(bench);
      const request = frame(REQUEST, 1, new Uint8Array(200_000));
      for (const act of [() => look(connection), () => {}]) {
        expect(theirs.trySendParts(request, 0, EXCHANGE)).toBeLessThan(request.length);
        act();
        while (theirs.trySend(bodyOf('plain'), 0) !== 0) look(connection);
        while (!connection.readable) await turn();
        expect(connection.tryRecvBytes(100)).toEqual(bodyOf('plain'));
      }
    });

    it('gets an error for a request that cannot be read', async () => {
      const [connection, theirs] = scene(bench);
      connection.onRequest((x) => x);
      theirs.trySend(frame(REQUEST, 5, new Uint8Array(3).fill(255)), EXCHANGE);
      expect((await next(theirs))[0]).toBe(FAILURE);
      theirs.trySend(frame(REQUEST, 5, bodyOf('fine')), EXCHANGE);
      expect(await next(theirs)).toEqual(frame(RESPONSE, 5, bodyOf('fine')));
    });

    it('gets one answer for a request that it makes twice', async () => {
      const [connection, theirs] = scene(bench);
      let handled = 0;
      connection.onRequest(async (x) => {
        handled++;
        await turn();
        return x;
      });
      theirs.trySend(frame(REQUEST, 5, bodyOf('once')), EXCHANGE);
      theirs.trySend(frame(REQUEST, 5, bodyOf('twice')), EXCHANGE);
      expect(await next(theirs)).toEqual(frame(RESPONSE, 5, bodyOf('once')));
      for (let i = 0; i < 10; i++) await turn();
      expect(handled).toBe(1);
      expect(theirs.tryReceiveCopy()).toBeTypeOf('number');
    });

    it('cannot make more requests than it may', async () => {
      const [connection, theirs] = scene(bench);
      let handled = 0;
      connection.onRequest(
        () => {
          handled++;
          return new Promise(() => {});
        },
        { maxConcurrent: 1 },
      );
      const call = connection.request('of ours').catch((error: unknown) => error);
      for (let id = 0; id < 3000; id++) {
        while (theirs.trySend(frame(REQUEST, id, bodyOf(id)), EXCHANGE) !== 0) await turn();
      }
      // Too much was kept for what comes to be believed.
      expect(await call).toEqual(coded('ERR_CORRUPT'));
      expect(handled).toBe(1);
    });

    it('harms nobody by random messages', async () => {
      const header = fc.tuple(
        fc.nat({ max: 5 }),
        fc.nat({ max: 2 }),
        fc.constantFrom(0, 0, 0, 1),
        fc.constant(0),
        fc.nat({ max: 3 }),
        fc.constantFrom(0, 255),
        fc.constantFrom(0, 255),
        fc.constantFrom(0, 255),
      );
      const message = fc
        .tuple(header, fc.uint8Array({ maxLength: 24 }), fc.nat({ max: 32 }))
        .map(([head, body, cut]) => Uint8Array.from([...head, ...body]).subarray(0, 40 - cut));
      await fc.assert(
        fc.asyncProperty(fc.array(message, { maxLength: 20 }), async (sent) => {
          const [connection, theirs] = scene(bench);
          const handling = connection.onRequest((x) => x);
          const calls = Promise.allSettled([connection.request('a'), connection.request('b')]);
          for (const bytes of sent) theirs.trySend(bytes, EXCHANGE);
          theirs.trySend(bodyOf('a message'), 0);
          expect(await connection.recv()).toBe('a message');
          handling.stop();
          theirs.close();
          for (const { status } of await calls) expect(status).toBe('rejected');
          connection.close();
        }),
        { numRuns: 200 },
      );
    });
  });
}
