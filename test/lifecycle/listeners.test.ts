import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect } from 'vitest';
import { test } from './scene.js';
import type { Scene } from './scene.js';
import { Terminal } from './terminal.js';
import { Turns } from './turns.js';

const BUILD_WATCHDOG_MS = 900_000;
const RUN_WATCHDOG_MS = 900_000;

const FOR_LONG = { timeoutMs: 60_000 };
const KEYED = { authkey: 'a secret of both' };

function terminal(scene: Scene): Terminal {
  return new Terminal(scene.start('listener-terminal'));
}

function coded(code: string): unknown {
  return expect.objectContaining({ code });
}

/** What is there besides doorbells. */
function objects(scene: Scene): string[] {
  return scene.files().filter((name) => !name.startsWith('~bell-'));
}

/** Looks again until it is so: what another process does is seen when it is done. */
async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let look = 0; look < 3000; look++) {
    if (await isSo()) return;
    await delay(20);
  }
  throw new Error(`in vain: ${what}`);
}

/** A listener on 'door', and a client that waits there to be accepted. */
async function meet(scene: Scene, options: object = {}) {
  const [listener, client] = [terminal(scene), terminal(scene)];
  await listener.call('listen', 'door', options);
  await client.call('connect', 'door', 'c');
  return { listener, client };
}

describe('a listener that is killed', () => {
  test('ends the connections of clients that it had not accepted', async ({ scene }) => {
    const { listener, client } = await meet(scene);
    const waiting = await client.begin('recv', 'c');
    await listener.kill();
    await expect(waiting.result).rejects.toEqual(coded('ERR_EOF'));
    await expect(client.call('send', 'c', 1)).rejects.toEqual(coded('ERR_PEER_DEAD'));
    await expect(client.call('connect', 'door', 'd')).rejects.toEqual(coded('ERR_NOT_FOUND'));
    await client.leave();
    expect(scene.files()).toEqual([]);
  });

  test('ends them for who is blocked, too', async ({ scene }) => {
    const { listener, client } = await meet(scene);
    const waiting = client.call('recvSync', 'c').catch((error: unknown) => error);
    await delay(100);
    await listener.kill();
    expect(await waiting).toEqual(coded('ERR_EOF'));
    await client.leave();
  });

  test('ends them although somebody is stopped who has its backlog open', async ({ scene }) => {
    const { listener, client } = await meet(scene, { backlog: 1 });
    const stopped = terminal(scene);
    await stopped.begin('connect', 'door', 'c', FOR_LONG);
    stopped.program.signal('SIGSTOP');
    const waiting = await client.begin('recv', 'c');
    await listener.kill();
    await expect(waiting.result).rejects.toEqual(coded('ERR_EOF'));
    const next = terminal(scene);
    await next.call('listen', 'door');
    stopped.program.signal('SIGCONT');
    await next.call('accept', 'door', 's');
    for (const each of [client, stopped, next]) await each.leave();
    expect(scene.files()).toEqual([]);
  });

  test('ends those that it had accepted, after what it had sent', async ({ scene }) => {
    const { listener, client } = await meet(scene);
    await listener.call('accept', 'door', 's');
    await listener.call('send', 's', 'last words');
    await listener.kill();
    expect(await client.call('recv', 'c')).toBe('last words');
    await expect(client.call('recv', 'c')).rejects.toEqual(coded('ERR_EOF'));
    // Nobody was there to see the killed one leave.
    await expectNothingLeft(scene, client);
  });

  test.for([
    ['send', 1],
    ['sendMany', [1, 2]],
    ['trySend', 'x'.repeat(1000)],
  ])('is noticed by who only sends: %s', async ([call, value], { scene }) => {
    const { listener, client } = await meet(scene);
    await listener.call('accept', 'door', 's');
    await listener.kill();
    await expect(client.call(call as string, 'c', value)).rejects.toEqual(coded('ERR_PEER_DEAD'));
    await expectNothingLeft(scene, client);
  });

  test('is noticed by who has sent before, and sends now and then', async ({ scene }) => {
    const { listener, client } = await meet(scene);
    await listener.call('accept', 'door', 's');
    await client.call('send', 'c', 'heard');
    await listener.kill();
    // Far fewer than any busy sender sends between two looks.
    let sends = 0;
    const isRefused = async () => {
      const sent = client.call('trySend', 'c', ++sends);
      return sent.then(
        () => false,
        (error: { code?: string }) => error.code === 'ERR_PEER_DEAD',
      );
    };
    for (let look = 0; look < 200 && !(await isRefused()); look++) await delay(20);
    expect(sends).toBeLessThan(200);
    await expectNothingLeft(scene, client);
  });

  test('leaves its name to the next one, while clients of it are still there', async ({
    scene,
  }) => {
    const { listener, client } = await meet(scene, { backlog: 1 });
    const late = terminal(scene);
    const connecting = await late.begin('connect', 'door', 'c', FOR_LONG);
    await delay(50);
    await listener.kill();
    const next = terminal(scene);
    await next.call('listen', 'door');
    await next.call('accept', 'door', 's');
    await connecting.result;
    await late.call('send', 'c', 'to the next');
    expect(await next.call('recv', 's')).toBe('to the next');
    await expect(client.call('recv', 'c')).rejects.toEqual(coded('ERR_EOF'));
    for (const each of [client, late, next]) await each.leave();
    expect(scene.files()).toEqual([]);
  });

  test('is noticed by who waits for room, though nobody follows', async ({ scene }) => {
    const { listener, client } = await meet(scene, { backlog: 1 });
    const late = terminal(scene);
    const connecting = await late.begin('connect', 'door', 'c', { timeoutMs: 3000 });
    await delay(50);
    await listener.kill();
    await expect(connecting.result).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      message: expect.stringMatching(/^Nobody listened on 'door'/),
    });
    await late.leave();
    await client.leave();
    expect(scene.files()).toEqual([]);
  });

  test('in the middle of a handshake, sends the client to the next one', async ({ scene }) => {
    const [listener, client] = [terminal(scene), terminal(scene)];
    await listener.call('listen', 'door', KEYED);
    const connecting = await client.begin('connect', 'door', 'c', { ...KEYED, ...FOR_LONG });
    client.program.signal('SIGSTOP');
    await listener.begin('accept', 'door', 's');
    await until('it has taken the client in hand', async () => {
      return (await listener.call('waiting', 'door')) === 0;
    });
    await listener.kill();
    client.program.signal('SIGCONT');
    const next = terminal(scene);
    await next.call('listen', 'door', KEYED);
    await next.call('accept', 'door', 's');
    await connecting.result;
    await client.call('send', 'c', 'at last');
    expect(await next.call('recv', 's')).toBe('at last');
    await client.leave();
    await next.leave();
    expect(scene.files()).toEqual([]);
  });
});

describe('a listener', () => {
  test('that ends naturally ends the connections that it had not accepted', async ({ scene }) => {
    const { listener, client } = await meet(scene);
    const waiting = await client.begin('recv', 'c');
    await listener.leave();
    await expect(waiting.result).rejects.toEqual(coded('ERR_EOF'));
    await client.leave();
    expect(scene.files()).toEqual([]);
  });

  test('that is stopped still listens', async ({ scene }) => {
    const { listener, client } = await meet(scene);
    listener.program.signal('SIGSTOP');
    await client.call('connect', 'door', 'd');
    await expect(client.call('listen', 'door')).rejects.toEqual(coded('ERR_EXISTS'));
    listener.program.signal('SIGCONT');
    await client.call('send', 'd', 'meanwhile');
    await listener.call('accept', 'door', 'first');
    await listener.call('accept', 'door', 'second');
    expect(await listener.call('recv', 'second')).toBe('meanwhile');
    await client.leave();
    await listener.leave();
  });

  test('in one process keeps it alive while it waits to accept, and not else', async ({
    scene,
  }) => {
    const listener = terminal(scene);
    await listener.call('listen', 'door');
    const accepting = await listener.begin('accept', 'door', 's');
    listener.program.hangUp();
    const client = terminal(scene);
    await client.call('connect', 'door', 'c');
    await accepting.result;
    expect(await listener.program.ends()).toEqual({ code: 0, signal: null });
    await client.leave();
  });
});

describe('a client that is killed', () => {
  test('while it waits, is accepted with what it had sent', async ({ scene }) => {
    const { listener, client } = await meet(scene);
    await client.call('send', 'c', 'remember me');
    await client.kill();
    await listener.call('accept', 'door', 's');
    expect(await listener.call('recv', 's')).toBe('remember me');
    await expect(listener.call('recv', 's')).rejects.toEqual(coded('ERR_EOF'));
    await expectNothingLeft(scene, listener);
  });

  test('in the middle of a handshake, costs nobody anything', async ({ scene }) => {
    const [listener, victim, client] = [terminal(scene), terminal(scene), terminal(scene)];
    await listener.call('listen', 'door', KEYED);
    await victim.begin('connect', 'door', 'c', KEYED);
    victim.program.signal('SIGSTOP');
    const accepting = await listener.begin('accept', 'door', 's');
    await until('it has taken the victim in hand', async () => {
      return (await listener.call('waiting', 'door')) === 0;
    });
    // Another one is served meanwhile.
    await client.call('connect', 'door', 'c', KEYED);
    await accepting.result;
    await client.call('send', 'c', 'served');
    expect(await listener.call('recv', 's')).toBe('served');
    expect(await listener.call('rejected', 'door')).toBe(0);
    await victim.kill();
    await until('it has noticed the death', async () => {
      return (await listener.call('rejected', 'door')) === 1;
    });
    await expectNothingLeft(scene, client, listener);
  });
});

let addon = '';
beforeAll(() => {
  const script = fileURLToPath(new URL('../../scripts/build-fault-addon.mjs', import.meta.url));
  addon = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
}, BUILD_WATCHDOG_MS);

/** One life after another, each killed at the next step. */
function lives(scene: Scene, ...args: string[]): Turns {
  return new Turns((turn) => {
    const environment = { INTERPROC_ADDON: addon, INTERPROC_FAULT: `kill:${turn}` };
    return scene.start('listener-life', args, { environment });
  });
}

describe.each([
  ['without a key', undefined],
  ['with a key', KEYED.authkey],
])('killed at every step, %s:', (_, authkey) => {
  const key = authkey === undefined ? {} : { authkey };
  const args = authkey === undefined ? [] : [authkey];

  test('a client, and the listener goes on', { timeout: RUN_WATCHDOG_MS }, async ({ scene }) => {
    const [listener, client] = [terminal(scene), terminal(scene)];
    await listener.call('listen', 'door', key);
    const serving = await listener.begin('serve', 'door');
    const victims = lives(scene, 'connect', ...args);
    let point = 0;
    for (let lived = false; !lived;) {
      point++;
      const victim = victims.next();
      await victim.ends();
      lived = victim.hasSaid('lived');
      const answer = await client.call('ask', 'door', point, { ...key, ...FOR_LONG });
      expect({ point, answer }).toEqual({ point, answer: point });
    }
    console.log(`  killed at ${point - 1} points`);
    expect(point).toBeGreaterThan(20);
    await victims.end();
    await listener.call('stopListening', 'door');
    await serving.result;
    await expectNothingLeft(scene, listener, client);
  });

  test(
    'a listener, and the next one has its name',
    { timeout: RUN_WATCHDOG_MS },
    async ({ scene }) => {
      const [next, client] = [terminal(scene), terminal(scene)];
      const victims = lives(scene, 'listen', ...args);
      let point = 0;
      for (let lived = false; !lived;) {
        point++;
        const victim = victims.next();
        // It asks the victim, or if that is dead, the next one.
        const asking = await client.begin('ask', 'door', point, { ...key, ...FOR_LONG });
        await victim.ends();
        lived = victim.hasSaid('lived');
        await next.call('listen', 'door', key);
        const serving = await next.begin('serve', 'door');
        const answer = await asking.result;
        expect({ point, answer }).toEqual({ point, answer: point });
        await next.call('stopListening', 'door');
        await serving.result;
        expect({ point, objects: objects(scene).includes('door') }).toEqual({
          point,
          objects: false,
        });
      }
      console.log(`  killed at ${point - 1} points`);
      expect(point).toBeGreaterThan(20);
      await victims.end();
      await expectNothingLeft(scene, next, client);
    },
  );
});

/** Everybody leaves; what the killed had open, prune finds. */
async function expectNothingLeft(scene: Scene, ...terminals: Terminal[]): Promise<void> {
  for (const each of terminals) await each.leave();
  const last = terminal(scene);
  await last.call('prune');
  await last.leave();
  expect(scene.files()).toEqual([]);
}
