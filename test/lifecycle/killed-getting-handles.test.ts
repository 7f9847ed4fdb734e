import { describe, expect } from 'vitest';
import { faultAddon } from './fault-addon.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';
import type { Terminal } from './terminal.js';

/** From the take to the acknowledgement; the second passage where the first is that of the queue itself, not of the handle. */
const BEFORE_ACKNOWLEDGEMENT = [
  '1:ring.taken',
  '1:queue.kept',
  '1:ledger.held',
  '1:ring.left',
  '2:segment.attached',
  '2:registry.joined',
  '1:tasks.taken',
  '1:ledger.ack',
];

const GETS = ['get', 'getSync', 'tryGet', 'getMany', 'getManySync'];

const meets = faultAddon();

/** 'carrier' holds a message with a handle in it, and nobody has the object open any more. */
async function post(scene: Scene, fillerBytes = 0): Promise<Terminal> {
  const [keeper, sender] = [scene.terminal(), scene.terminal()];
  await keeper.call('create', 'carrier', { capacityBytes: 4096 });
  await sender.call('open', 'carrier');
  await sender.call('anonymous', 'reply');
  await sender.call('put', 'reply', 'from the sender');
  await sender.call('putHandle', 'carrier', 'reply', fillerBytes);
  await sender.leave();
  return keeper;
}

/** A consumer that is killed at that passage of that point. */
async function dieGetting(scene: Scene, fault: string, get = 'get'): Promise<void> {
  const victim = scene.terminal(meets(`kill:${fault}`));
  await victim.call('open', 'carrier');
  await expect(victim.call(get, 'carrier')).rejects.toThrow('ended (SIGKILL)');
}

function tickets(scene: Scene): string[] {
  return scene.files().filter((name) => name.startsWith('~ticket-'));
}

/** The message is there for `keeper`, and the object with it. */
async function expectDelivery(scene: Scene, keeper: Terminal): Promise<void> {
  await keeper.call('getHandle', 'carrier', 'reply');
  expect(tickets(scene)).toEqual([]);
  expect(await keeper.call('get', 'reply')).toBe('from the sender');
  await keeper.call('close', 'reply');
  expect(await keeper.call('size', 'carrier')).toBe(0);
  expect(scene.files().filter((name) => !name.startsWith('~bell-'))).toEqual(['carrier']);
  await keeper.leave();
}

describe('a consumer killed while it gets a message with a handle in it', () => {
  test.for(BEFORE_ACKNOWLEDGEMENT)(
    'leaves both to another, killed at %s',
    async (fault, { scene }) => {
      const keeper = await post(scene);
      await dieGetting(scene, fault);
      await expectDelivery(scene, keeper);
    },
  );

  test.for(GETS)('leaves both to another: %s', async (get, { scene }) => {
    const keeper = await post(scene);
    await dieGetting(scene, '1:ledger.ack', get);
    await expectDelivery(scene, keeper);
  });

  test('leaves both to another, however large the message is', async ({ scene }) => {
    for (const fault of ['1:ledger.held', '1:queue.owned_held', '1:ledger.ack']) {
      const keeper = await post(scene, 100_000);
      await dieGetting(scene, fault);
      await expectDelivery(scene, keeper);
    }
  });

  // The message is consumed then, and who was to remove the ticket is dead.
  test.for(['1:ledger.acked', '1:ticket.remove'])(
    'leaves the ticket to the last one out of the queue, killed at %s',
    async (fault, { scene }) => {
      const keeper = await post(scene);
      await dieGetting(scene, fault);
      expect(await keeper.call('tryGet', 'carrier')).toBe(undefined);
      await keeper.call('join', 'carrier');
      expect(tickets(scene)).toHaveLength(1);
      await keeper.leave();
    },
  );
});
