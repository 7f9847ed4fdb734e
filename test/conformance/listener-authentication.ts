import { createHash, createHmac } from 'node:crypto';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { AuthenticationError } from '../../src/errors.js';
import type { InterprocError } from '../../src/errors.js';
import type { PipeEnd } from '../../src/contract/pipe.js';
import { wait } from '../../src/primitives/wait.js';
import { listenerBenchFor } from './listener-subject.js';
import type { ListenerSubject } from './listener-subject.js';
import { coded, rows, stateOf } from './subject.js';

/** What comes next to a client that keeps to no protocol. */
async function next(end: PipeEnd): Promise<Uint8Array | 'ended'> {
  for (;;) {
    const message = end.tryReceiveCopy();
    if (typeof message !== 'number') return Uint8Array.from(message);
    if (end.isReadable()) return 'ended';
    await turn();
  }
}

/** What a client proves, as the protocol has it. */
function proof(
  { name, pipe, key }: { name: string; pipe: bigint; key: string },
  a: Uint8Array,
  b: Uint8Array,
): Buffer {
  return createHmac('sha256', createHash('sha256').update(key).digest())
    .update(`interproc connection 1\0client\0${name}\0${pipe}\0`)
    .update(a)
    .update(b)
    .digest();
}

export function authentication(subject: ListenerSubject): void {
  describe('an authkey', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe } = bench;

    function listen(options: { authkey?: string | Uint8Array; handshakeTimeoutMs?: number } = {}) {
      const rejections: InterprocError[] = [];
      const listener = bench.keep(
        Pipe.listen<string>(bench.name(), {
          authkey: 'open sesame',
          onRejected: (error) => rejections.push(error),
          ...options,
        }),
      );
      return { listener, rejections };
    }

    it.each(
      rows<[string | Uint8Array, string | Uint8Array]>([
        ['open sesame', 'open sesame'],
        ['grün', new TextEncoder().encode('grün')],
        [Buffer.from([0]), new Uint8Array([0])],
        ['x'.repeat(1000), 'x'.repeat(1000)],
      ]),
    )('that both have, as %s, lets them in', async (_, [theirs, ours]) => {
      const { listener, rejections } = listen({ authkey: theirs });
      const connecting = bench.kept(Pipe.connect<string>(listener.name, { authkey: ours }));
      expect(await stateOf(connecting)).toBe('pending');
      const server = await bench.kept(listener.accept());
      const client = await connecting;
      await client.send('trusted');
      expect(await server.recv()).toBe('trusted');
      await server.send('too');
      expect(await client.recv()).toBe('too');
      expect([listener.rejected, rejections]).toEqual([0, []]);
    });

    it('is copied: the caller may wipe his', async () => {
      const key = new Uint8Array([1, 2, 3]);
      const { listener } = listen({ authkey: key });
      const connecting = bench.kept(Pipe.connect(listener.name, { authkey: key.slice() }));
      key.fill(0);
      await bench.kept(listener.accept());
      await connecting;
    });

    it('that is another turns the client away, and nobody else', async () => {
      const { listener, rejections } = listen();
      const accepting = listener.accept();
      for (const authkey of ['close sesame', 'open sesame ', 'Open sesame']) {
        const error = await Pipe.connect(listener.name, { authkey }).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(AuthenticationError);
        expect(error).toEqual(coded('ERR_AUTH'));
        expect((error as Error).message).not.toContain('sesame');
      }
      expect(await stateOf(accepting)).toBe('pending');
      expect(listener.rejected).toBe(3);
      expect(rejections.map(({ code }) => code)).toEqual(['ERR_AUTH', 'ERR_AUTH', 'ERR_AUTH']);
      const client = bench.kept(Pipe.connect<string>(listener.name, { authkey: 'open sesame' }));
      await bench.keep(await accepting).send('welcome');
      expect(await (await client).recv()).toBe('welcome');
    });

    it('that only one of them has is an error at once, and nobody waits to be accepted', async () => {
      const { listener } = listen();
      await expect(Pipe.connect(listener.name)).rejects.toEqual(coded('ERR_AUTH'));
      const open = bench.keep(Pipe.listen(bench.name()));
      await expect(
        Pipe.connect(open.name, { authkey: 'open sesame', timeoutMs: 60_000 }),
      ).rejects.toEqual(coded('ERR_AUTH'));
      expect([listener.waiting, open.waiting]).toEqual([0, 0]);
    });

    it('never crosses, and no proof comes twice', async () => {
      const { listener } = listen();
      void listener.accept().catch(() => {});
      const seen: string[] = [];
      for (let i = 0; i < 5; i++) {
        const end = bench.rawClient(listener.name);
        seen.push(Buffer.from((await next(end)) as Uint8Array).toString('latin1'));
        end.close();
      }
      expect(new Set(seen).size).toBe(5);
      expect(seen.some((text) => text.includes('sesame'))).toBe(false);
      listener.close();
    });

    it('accepts a client that waits while another takes its time', async () => {
      const { listener } = listen();
      const accepting = bench.kept(listener.accept());
      const silent = Array.from({ length: 10 }, () => bench.rawClient(listener.name));
      const client = bench.kept(Pipe.connect(listener.name, { authkey: 'open sesame' }));
      await accepting;
      await client;
      expect(listener.rejected).toBe(0);
      for (const end of silent) end.close();
    });

    // Natively each would take a file descriptor or two.
    it.runIf(subject.kind === 'memory')(
      'leaves further clients waiting while as many handshakes as may be go on',
      async () => {
        const listener = bench.keep(
          Pipe.listen<string>(bench.name(), { authkey: 'open sesame', backlog: 1000 }),
        );
        const accepting = listener.accept();
        const silent = Array.from({ length: 256 }, () => bench.rawClient(listener.name));
        const connecting = Pipe.connect<string>(listener.name, { authkey: 'open sesame' });
        expect(await stateOf(connecting)).toBe('pending');
        expect(listener.waiting).toBe(1);
        silent[7]?.close();
        await bench.kept(accepting);
        await bench.kept(connecting);
        expect([listener.waiting, listener.rejected]).toEqual([0, 1]);
      },
    );

    it('keeps who authenticated itself after its accept was called off for the next one', async () => {
      const { listener } = listen();
      const controller = new AbortController();
      const accepting = listener.accept({ signal: controller.signal });
      const end = bench.rawClient(listener.name);
      const challenge = (await next(end)) as Uint8Array;
      controller.abort();
      await expect(accepting).rejects.toEqual(coded('ABORT_ERR'));
      const a = challenge.subarray(1);
      const b = new Uint8Array(32).fill(7);
      const response = [
        Uint8Array.of(2),
        b,
        proof({ name: listener.name, pipe: end.identity(), key: 'open sesame' }, a, b),
      ];
      end.trySend(Buffer.concat(response), 0);
      expect(((await next(end)) as Uint8Array)[0]).toBe(3);
      await expect.poll(() => listener.waiting).toBe(1);
      await bench.kept(listener.accept({ timeoutMs: 0 }));
    });

    it('lets nobody in whose handshake a closing listener cut short', async () => {
      const { listener } = listen();
      const accepting = listener.accept();
      const end = bench.rawClient(listener.name);
      await next(end);
      const connecting = Pipe.connect(listener.name, { authkey: 'open sesame' });
      listener.close();
      await expect(accepting).rejects.toEqual(coded('ERR_CLOSED'));
      expect(await next(end)).toBe('ended');
      await expect(connecting).rejects.toEqual(coded('ERR_NOT_FOUND'));
      expect(listener.rejected).toBe(0);
    });

    it('that was proved to one listener is good for no other', async () => {
      // Somebody in the middle, who has no key, passes on what each of two says to the other.
      const { listener } = listen();
      const middle = bench.keep(bench.backend.openListener(bench.name(), middleTerms));
      void listener.accept().catch(() => {});
      const connecting = Pipe.connect(middle.name, { authkey: 'open sesame' });
      const refused = expect(connecting).rejects.toEqual(coded('ERR_AUTH'));
      const toListener = bench.rawClient(listener.name);
      const toClient = bench.keep(middle.tryAccept() as PipeEnd);
      toClient.trySend((await next(toListener)) as Uint8Array, 0);
      toListener.trySend((await next(toClient)) as Uint8Array, 0);
      const verdict = (await next(toListener)) as Uint8Array;
      expect(verdict).toEqual(Uint8Array.of(4));
      toClient.trySend(verdict, 0);
      await refused;
      expect(listener.rejected).toBe(1);
      listener.close();
    });

    it('is not proved to a client by its own words', async () => {
      const mirror = bench.keep(bench.backend.openListener(bench.name(), middleTerms));
      const connecting = Pipe.connect(mirror.name, { authkey: 'open sesame' });
      const refused = expect(connecting).rejects.toEqual(coded('ERR_AUTH'));
      const end = bench.keep(mirror.tryAccept() as PipeEnd);
      end.trySend(Buffer.concat([Uint8Array.of(1), new Uint8Array(32)]), 0);
      const response = (await next(end)) as Uint8Array;
      end.trySend(Buffer.concat([Uint8Array.of(3), response.subarray(33)]), 0);
      await refused;
    });

    it('is another one with zeros at its end', async () => {
      const { listener } = listen({ authkey: Uint8Array.of(1, 2, 3) });
      const authkey = Uint8Array.of(1, 2, 3, 0);
      const accepting = listener.accept();
      await expect(Pipe.connect(listener.name, { authkey })).rejects.toEqual(coded('ERR_AUTH'));
      await bench.kept(Pipe.connect(listener.name, { authkey: authkey.subarray(0, 3) }));
      await bench.kept(accepting);
    });

    it('is asked for while somebody waits for the listener, who is told of those who know it', async () => {
      const { listener, rejections } = listen();
      const waiting = wait([listener]);
      const stranger = Pipe.connect(listener.name, { authkey: 'wrong' });
      await expect(stranger).rejects.toBeInstanceOf(AuthenticationError);
      expect(await stateOf(waiting)).toBe('pending');
      expect(rejections).toHaveLength(1);
      await bench.kept(Pipe.connect(listener.name, { authkey: 'open sesame' }));
      expect(await waiting).toEqual([listener]);
      await bench.kept(listener.accept({ timeoutMs: 1000 }));
    });
  });

  describe('a client that does not keep to the handshake', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe } = bench;

    async function meet(act: (end: PipeEnd, challenge: Uint8Array, name: string) => void) {
      const rejections: InterprocError[] = [];
      const listener = bench.keep(
        Pipe.listen(bench.name(), {
          authkey: 'k',
          capacityBytes: 4096,
          onRejected: (error) => rejections.push(error),
        }),
      );
      const accepting = listener.accept();
      const end = bench.rawClient(listener.name);
      act(end, (await next(end)) as Uint8Array, listener.name);
      await expect.poll(() => rejections.length).toBe(1);
      expect(rejections[0]).toBeInstanceOf(AuthenticationError);
      expect(listener.rejected).toBe(1);
      expect(await stateOf(accepting)).toBe('pending');
      // The next one is served as if nothing had been.
      const client = bench.kept(Pipe.connect(listener.name, { authkey: 'k' }));
      await bench.kept(accepting);
      await client;
      return end;
    }

    const response = (b: Uint8Array, p: Uint8Array) => Buffer.concat([Uint8Array.of(2), b, p]);
    const b = new Uint8Array(32).fill(9);
    const right = (end: PipeEnd, challenge: Uint8Array, name: string) =>
      proof({ name, pipe: end.identity(), key: 'k' }, challenge.subarray(1), b);

    it.each<[string, (end: PipeEnd, challenge: Uint8Array, name: string) => void]>([
      ['nothing at all', (end) => end.trySend(new Uint8Array(0), 0)],
      ['the challenge back', (end, challenge) => end.trySend(challenge, 0)],
      ['a response of another type', (end) => end.trySend(new Uint8Array(65).fill(1), 0)],
      ['one byte too little', (end) => end.trySend(response(b, new Uint8Array(31)), 0)],
      ['one byte too much', (end) => end.trySend(response(b, new Uint8Array(33)), 0)],
      ['a proof of zeros', (end) => end.trySend(response(b, new Uint8Array(32)), 0)],
      ['a large message', (end) => end.trySend(new Uint8Array(1000), 0)],
      ['the beginning of a huge one', (end) => end.trySendParts(new Uint8Array(9_000_000), 0, 0)],
      [
        'a message that carries',
        (end, challenge, name) => end.trySend(response(b, right(end, challenge, name)), 1),
      ],
      [
        'a part of an exchange',
        (end, challenge, name) => end.trySend(response(b, right(end, challenge, name)), 2),
      ],
      [
        'a proof of another challenge',
        (end, challenge, name) =>
          end.trySend(response(b, right(end, challenge.slice().fill(1), name)), 0),
      ],
      [
        'a proof for another name',
        (end, challenge) => end.trySend(response(b, right(end, challenge, 'elsewhere')), 0),
      ],
      [
        'a proof for another pipe',
        (end, challenge, name) => {
          const elsewhere = { name, pipe: end.identity() + 1n, key: 'k' };
          end.trySend(response(b, proof(elsewhere, challenge.subarray(1), b)), 0);
        },
      ],
    ])('is refused for %s', async (_, act) => {
      const end = await meet(act);
      expect(await next(end)).toEqual(Uint8Array.of(4));
      expect(await next(end)).toBe('ended');
    });

    it('is forgotten when it leaves half way', async () => {
      await meet((end) => end.close());
    });

    it('is refused when it does not answer in time', async () => {
      const listener = bench.keep(
        Pipe.listen(bench.name(), { authkey: 'k', handshakeTimeoutMs: 30 }),
      );
      const accepting = listener.accept();
      const end = bench.rawClient(listener.name);
      await next(end);
      expect(await next(end)).toEqual(Uint8Array.of(4));
      expect(listener.rejected).toBe(1);
      expect(await stateOf(accepting)).toBe('pending');
      listener.close();
      await expect(accepting).rejects.toEqual(coded('ERR_CLOSED'));
    });
  });

  describe('a listener that does not keep to the handshake', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe } = bench;

    async function meet(act: (end: PipeEnd) => void | Promise<void>, options: object = {}) {
      const listener = bench.keep(bench.backend.openListener(bench.name(), middleTerms));
      const connecting = Pipe.connect(listener.name, { authkey: 'k', ...options });
      const settled = connecting.catch((error: unknown) => error);
      await act(bench.keep(listener.tryAccept() as PipeEnd));
      return settled;
    }

    it.each<[string, Uint8Array[]]>([
      ['nothing at all', [new Uint8Array(0)]],
      ['a welcome at once', [new Uint8Array(33).fill(3)]],
      ['a short challenge', [Uint8Array.of(1, 2, 3)]],
      ['a large message', [new Uint8Array(1000)]],
      ['a welcome without proof', [new Uint8Array(33).fill(1), Uint8Array.of(3)]],
      ['a proof of zeros', [new Uint8Array(33).fill(1), Uint8Array.of(3, ...new Uint8Array(32))]],
    ])('is not believed: %s', async (_, messages) => {
      const error = await meet((end) => {
        for (const message of messages) end.trySend(message, 0);
      });
      expect(error).toBeInstanceOf(AuthenticationError);
    });

    it('and stops half way is given up in time', async () => {
      const error = await meet((end) => void end.trySend(new Uint8Array(33).fill(1), 0), {
        handshakeTimeoutMs: 20,
      });
      expect(error).toBeInstanceOf(AuthenticationError);
    });

    it('and never begins is waited for as long as the client wants', async () => {
      const error = await meet(() => {}, { timeoutMs: 20 });
      expect(error).toEqual(coded('ERR_TIMEOUT'));
      expect((error as Error).message).toMatch(/ did not accept within 20 ms$/);
    });

    it('and goes away is as if nobody had been there', async () => {
      const error = await meet(async (end) => {
        await sleep(5);
        end.close();
      });
      expect(error).toEqual(coded('ERR_NOT_FOUND'));
    });
  });
}

const middleTerms = { backlog: 4, isKeyed: true, codec: 'structured' };
