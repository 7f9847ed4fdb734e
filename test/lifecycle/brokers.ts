/** The brokers of a directory, as the system knows them. */
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { WATCHDOG_MS } from './program.js';

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** Its threads end one by one, and its descriptors with the last of them. */
function isRunning(pid: number): boolean {
  try {
    const isZombie = /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return !isZombie || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** The process of each that runs; a zombie does not. */
export function brokersOf(directory: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .filter((pid) => {
      const command = commandOf(pid);
      return command.at(-3)?.endsWith('broker-process.js') === true && command.at(-1) === directory;
    });
}

/** The one there is. */
export function brokerOf(directory: string): number {
  const brokers = brokersOf(directory);
  if (brokers.length !== 1) throw new Error(`${brokers.length} brokers of ${directory}`);
  return brokers[0] as number;
}

/** Until it has come to that. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + WATCHDOG_MS;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(5);
  }
}

export function untilGone(pid: number): Promise<void> {
  return until(`${pid} is gone`, () => !isRunning(pid));
}

export async function killBroker(directory: string): Promise<void> {
  const pid = brokerOf(directory);
  process.kill(pid, 'SIGKILL');
  await untilGone(pid);
}

/** Has one started, and needs it no longer than that. */
export function startBroker(directory: string): void {
  new SocketBackend(directory).openChannel(undefined, 'create', {}).close();
}
