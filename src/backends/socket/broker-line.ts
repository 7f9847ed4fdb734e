/** Lines to the broker of a directory, of whichever kind this system has. */

import type { Line } from '../brokered/line.js';
import { pipeEntries } from './pipe-entries.js';
import { usesPipes } from './pipes.js';
import { RelayLine } from './relay-line.js';
import { PUBLIC_NAME, withSocketPath } from './socket-directory.js';
import { SocketLine } from './socket-line.js';

export interface BrokerLine extends Line {
  /** Whether the broker still has its end, now. */
  isConnected(): boolean;
}

/** `sockets`: the directory in which the broker is found; undefined: nobody is. @throws ERR_UNSUPPORTED, ERR_PERMISSION, ERR_SYSTEM */
export function lineToBroker(sockets: string, patienceMs: number): BrokerLine | undefined {
  if (usesPipes()) return pipeToBroker(sockets, patienceMs);
  return withSocketPath(sockets, PUBLIC_NAME, (path) => SocketLine.to(path, patienceMs));
}

function pipeToBroker(sockets: string, patienceMs: number): RelayLine | undefined {
  for (const entry of pipeEntries(sockets)) {
    const line = RelayLine.to(entry.address, patienceMs);
    if (line instanceof RelayLine) return line;
    // So that nobody tries it again.
    if (line === 'nobody') entry.remove();
  }
  return undefined;
}
