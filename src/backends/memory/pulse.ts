/**
 * What a thread that cannot turn to its event loop knows the hub's life by: an address that the hub listens at, and that the
 * system gives to nobody else while it lives.
 */

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

import { socketAddress } from '../brokered/socket-address.js';

/** Of a hub that lives as long as its process. */
export const ENDLESS = '';

/** The hub's end. It keeps the event loop alive. */
export function beginPulse(): string {
  const address = socketAddress(`memory-${randomBytes(12).toString('hex')}`);
  const server = createServer((connection) => connection.destroy());
  server.on('error', () => {});
  server.listen({ path: address, exclusive: true });
  return address;
}

/** Whether that hub has ended. Does not block, and needs no event loop. Two that ask at once may get a 'no' that is out of date. */
export function hasStopped(address: string): boolean {
  if (address === ENDLESS) return false;
  const probe = createServer();
  probe.on('error', () => {});
  probe.listen({ path: address, exclusive: true });
  const isFree = probe.listening;
  if (isFree) probe.close();
  return isFree;
}
