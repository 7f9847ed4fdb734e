import { describe, expect } from 'vitest';
import { nodes } from './nodes.js';
import { atScale } from './scale.js';
import { test } from './scene.js';
import type { Terminal } from './terminal.js';

const RAW = { codec: 'raw', capacityBytes: 65_536 };
const ROOM = 1024;
const MODES = [
  ['in place', {}],
  ['copied', { INTERPROC_COPY_LEASES: '1' }],
] as const;

interface Peeked {
  readonly id: string;
  readonly text: string;
  readonly deliveries: number;
  readonly redelivered: boolean;
}

async function peek(terminal: Terminal, queue: string): Promise<Peeked> {
  return (await terminal.call('peek', queue)) as Peeked;
}

describe.each(MODES)('a holder of leases, %s, that is killed', (_, environment) => {
  test('with a reserved slot leaves no message, and hides none any more', async ({ scene }) => {
    const survivor = scene.terminal({ environment });
    await survivor.call('create', 'frames', RAW);
    for (let i = 0; i < atScale(5, 100); i += 1) {
      const holder = scene.terminal({ environment });
      await holder.call('open', 'frames');
      await holder.call('reserve', 'frames', 'half-written');
      await survivor.call('putText', 'frames', `behind ${i}`);
      expect(await survivor.call('leases', 'frames')).toMatchObject([
        { kind: 'slot', bytes: 12, pid: holder.program.pid, isOwn: false },
      ]);
      const waiting = await survivor.begin('peekWhenAvailable', 'frames');
      await holder.kill();
      const seen = (await waiting.result) as Peeked;
      expect(seen).toMatchObject({ text: `behind ${i}`, deliveries: 1 });
      await survivor.call('release', seen.id);
      expect(await survivor.call('leases', 'frames')).toEqual([]);
      expect(await survivor.call('size', 'frames')).toBe(0);
    }
    expect(await survivor.participants('frames')).toBe(1);
    await survivor.leave();
  });

  test('with a message leaves it to another, marked', async ({ scene }) => {
    const survivor = scene.terminal({ environment });
    await survivor.call('create', 'frames', RAW);
    for (let i = 0; i < atScale(5, 100); i += 1) {
      const holder = scene.terminal({ environment });
      await holder.call('open', 'frames');
      await survivor.call('putText', 'frames', `frame ${i}`);
      await survivor.call('putText', 'frames', 'newer');
      expect(await peek(holder, 'frames')).toMatchObject({ text: `frame ${i}`, deliveries: 1 });
      await holder.kill();
      const newcomer = scene.terminal({ environment });
      await newcomer.call('open', 'frames'); // takes the place of the dead, and so notices
      const seen = await peek(survivor, 'frames');
      expect(seen).toMatchObject({ text: `frame ${i}`, deliveries: 2, redelivered: true });
      await survivor.call('release', seen.id);
      const next = await peek(newcomer, 'frames');
      expect(next).toMatchObject({ text: 'newer', deliveries: 1 });
      await newcomer.call('release', next.id);
      await newcomer.leave();
    }
    expect(await survivor.call('size', 'frames')).toBe(0);
    await survivor.leave();
  });
});

describe.each(nodes)('under Node $version', ({ path, version }) => {
  describe.each(MODES)('leases, %s,', (mode, environment) => {
    const options = {
      node: path,
      environment,
      // ArrayBuffer.prototype.transfer, which newer ones have without asking.
      nodeArguments: [
        '--expose-gc',
        ...(version.startsWith('v20.') ? ['--harmony-rab-gsab-transfer'] : []),
      ],
    };
    const isCopied = mode === 'copied';

    test('are ended when nobody can reach them', async ({ scene }) => {
      const program = scene.start('forgotten-leases', ['forgotten'], options);
      expect(await program.says('result')).toEqual({
        held: 2,
        ended: true,
        deliveries: 2,
        room: ROOM,
      });
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    });

    test('are kept as long as an array over their memory is', async ({ scene }) => {
      const program = scene.start('forgotten-leases', ['kept'], options);
      expect(await program.says('result')).toEqual({
        ended: false,
        lengths: [999, 999],
        endedThen: true,
        returned: 1000,
        room: ROOM,
      });
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    });

    test('keep their queue open', async ({ scene }) => {
      const program = scene.start('forgotten-leases', ['the queue forgotten'], options);
      expect(await program.says('result')).toEqual({
        length: 999,
        left: true,
        found: 4,
        room: ROOM,
      });
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    });

    test('whose memory was transferred are given up, once that is garbage', async ({ scene }) => {
      const program = scene.start('forgotten-leases', ['ended and transferred'], options);
      const facts = { code: 'ERR_NOT_OWNER', stays: !isCopied, ended: true };
      expect(await program.says('result')).toEqual({
        result: [
          { kind: 'message', ...facts, left: 1000 },
          { kind: 'slot', ...facts },
        ],
        room: ROOM,
      });
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    });

    test('whose memory was transferred keep a closed handle in the queue', async ({ scene }) => {
      const program = scene.start('forgotten-leases', ['transferred and closed'], options);
      const facts = { stays: !isCopied, ended: true };
      expect(await program.says('result')).toEqual({
        result: [
          { kind: 'message', ...facts, back: isCopied ? 5 : 9, left: isCopied ? [1] : [1000] },
          { kind: 'slot', ...facts, left: [1] },
        ],
        room: ROOM,
      });
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    });

    test('whose memory was marked as untransferable are ended or given up', async ({ scene }) => {
      const program = scene.start('forgotten-leases', ['ended and marked'], options);
      expect(await program.says('result')).toEqual({
        result: [
          { kind: 'message', ended: true, isRight: true },
          { kind: 'slot', ended: true, isRight: true },
        ],
        room: ROOM,
      });
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    });

    test('are ended by an exit', async ({ scene }) => {
      const survivor = scene.terminal({ environment });
      const program = scene.start('forgotten-leases', ['left open'], options);
      expect(await program.says('result')).toBe('leaves');
      expect(await program.ends()).toEqual({ code: 0, signal: null });
      await survivor.call('open', 'frames');
      expect(await peek(survivor, 'frames')).toMatchObject({ deliveries: 2, redelivered: true });
      await survivor.call('release', '1');
      expect(await survivor.call('size', 'frames')).toBe(0);
      await survivor.leave();
    });

    test('are ended with their worker', async ({ scene }) => {
      const times = atScale(10, 500);
      const program = scene.start('terminated-leases', [times], options);
      expect(await program.says('result')).toEqual({
        deliveries: 2 * times,
        whole: 1,
        participants: 1,
      });
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    });
  });
});
