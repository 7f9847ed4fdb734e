/**
 * A broker's place where sockets are pipes. It listens at two: one that nobody connects to, the *seat*, whose name is the same for
 * all who come to that directory, and which the system gives to one and takes back with his life; and one of its own, where clients
 * connect, and which an entry in the directory leads to. Were there one only, the name of a dead broker's pipe would stay taken until
 * the last of his clients had heard of his death.
 *
 * Two directories never have one seat: it is named for what the file system knows a directory by, whatever its path is today.
 */

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { socketAddress } from '../brokered/socket-address.js';
import type { BrokerPlace } from './broker-place.js';
import type { BrokerServer } from './broker-server.js';
import { isListening } from './listening.js';
import { PipeEntry, pipeEntries } from './pipe-entries.js';
import { privateName } from './seat.js';
import { errorCode } from './socket-directory.js';

/** A seat that is taken, but by nobody who can be found, is about to be left, or about to be found. */
const SEATS_MS = 3_000;
const LOOK_MS = 20;

export function seatAddress(sockets: string): string {
  const { dev, ino } = statSync(sockets, { bigint: true });
  const name = createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 32);
  return socketAddress(`seat-${name}`);
}

export class PipePlace implements BrokerPlace {
  readonly #seat: Server;
  readonly #entry: PipeEntry;

  /** undefined: another broker has it. `sockets`: the directory in which the entries are. */
  static async take(sockets: string, server: BrokerServer): Promise<PipePlace | undefined> {
    const entry = new PipeEntry(sockets, privateName());
    await server.listen(entry.address);
    const address = seatAddress(sockets);
    for (let waited = 0; waited < SEATS_MS; waited += LOOK_MS) {
      if (await isSomebodyThere(sockets)) return undefined;
      const seat = await listen(address);
      if (seat !== undefined) return new PipePlace(sockets, seat, entry);
      await sleep(LOOK_MS);
    }
    return undefined;
  }

  private constructor(sockets: string, seat: Server, entry: PipeEntry) {
    // Who made these has the seat no more.
    for (const other of pipeEntries(sockets)) other.remove();
    entry.make();
    this.#seat = seat;
    this.#entry = entry;
  }

  get isTaken(): boolean {
    return this.#entry.isThere;
  }

  begin(): Promise<void> {
    return Promise.resolve();
  }

  leave(): void {
    this.#entry.remove();
    this.#seat.close();
  }
}

/** undefined: somebody has that address. @throws the system's errors */
function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: address, exclusive: true }, () => {
      server.removeAllListeners('error');
      server.on('error', () => {});
      server.unref();
      resolve(server);
    });
  });
}

async function isSomebodyThere(sockets: string): Promise<boolean> {
  for (const { address } of pipeEntries(sockets)) if (await isListening(address)) return true;
  return false;
}
