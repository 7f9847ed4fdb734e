import { describe, expect } from 'vitest';
import { BACKENDS, test, testOn } from './scene.js';
import type { Scene } from './scene.js';

/** `sender` puts an anonymous queue with a message in it on 'carrier', which `keeper` has open too. */
async function send(scene: Scene) {
  const [keeper, sender] = [scene.terminal(), scene.terminal()];
  await keeper.call('create', 'carrier');
  await sender.call('open', 'carrier');
  await sender.call('anonymous', 'reply');
  await sender.call('put', 'reply', 'from the sender');
  await sender.call('putHandle', 'carrier', 'reply');
  return { keeper, sender };
}

describe('an anonymous queue inside a message', () => {
  describe.each(BACKENDS)('on %s,', (backend) => {
    const endings = backend === 'native' ? ['leaves', 'is killed'] : ['is killed'];
    testOn(backend).for(endings)(
      'is there for the receiver when its sender %s before',
      async (how, { scene }) => {
        const { keeper, sender } = await send(scene);
        await (how === 'leaves' ? sender.leave() : sender.kill());
        const receiver = scene.terminal();
        await receiver.call('open', 'carrier');
        await receiver.call('getHandle', 'carrier', 'reply');
        expect(await receiver.call('get', 'reply')).toBe('from the sender');
        await receiver.call('close', 'reply');
        expect(scene.files()).toEqual(['carrier']);
        await receiver.leave();
        await keeper.leave();
      },
    );
  });

  test('joins two processes that share nothing else', async ({ scene }) => {
    const { keeper, sender } = await send(scene);
    await keeper.call('getHandle', 'carrier', 'reply');
    expect(await keeper.call('get', 'reply')).toBe('from the sender');
    const pending = await sender.begin('get', 'reply');
    await keeper.call('put', 'reply', 'back');
    expect(await pending.result).toBe('back');
    await sender.leave();
    await keeper.leave();
  });

  test('is delivered again when its receiver is killed before it acknowledged', async ({
    scene,
  }) => {
    const { keeper, sender } = await send(scene);
    await sender.leave();
    const victim = scene.terminal();
    await victim.call('open', 'carrier');
    await victim.call('receiveHandle', 'carrier', 'reply');
    await victim.kill();
    const received = (await keeper.call('receiveHandle', 'carrier', 'reply')) as {
      id: string;
      redelivered: boolean;
    };
    expect(received.redelivered).toBe(true);
    expect(await keeper.call('get', 'reply')).toBe('from the sender');
    await keeper.call('ack', received.id);
    await keeper.leave();
  });

  test('stays with the queue when everybody is killed', async ({ scene }) => {
    const { keeper, sender } = await send(scene);
    await Promise.all([keeper.kill(), sender.kill()]);
    const next = scene.terminal();
    await next.call('open', 'carrier');
    await next.call('getHandle', 'carrier', 'reply');
    expect(await next.call('get', 'reply')).toBe('from the sender');
    await next.leave();
  });

  test('goes with its carrier, at the latest, when its receiver is killed', async ({ scene }) => {
    const { keeper, sender } = await send(scene);
    await sender.leave();
    const victim = scene.terminal();
    await victim.call('open', 'carrier');
    await victim.call('getHandle', 'carrier', 'reply');
    await victim.kill();
    await keeper.leave();
    // Nobody was there to see the killed one leave.
    const next = scene.terminal();
    await next.call('prune', '');
    await next.leave();
  });
});
