/**
 * What a backend is: it passes this suite. Cases that need a capability which it does not declare are skipped; that it refuses
 * them, is tested.
 */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import type { Backend } from '../../src/contract/channel.js';
import type { ListenerOpener } from '../../src/contract/listener.js';
import type { PipeOpener } from '../../src/contract/pipe.js';
import { capabilities } from './capabilities.js';
import { describeListener } from './listener.conformance.js';
import { describeLocks } from './locks.conformance.js';
import type { Peers } from './peers.js';
import { describePipe } from './pipe.conformance.js';
import { describeQueue } from './queue.conformance.js';
import { describeState } from './state.conformance.js';
import { workerPeers } from './worker-peers.js';

/** What backends keep in their directory for themselves: doorbells, and where brokers are met. */
const OWN_FILES = /^~(?:bell-|socket$)/;

/** Once in a file: the objects live in a directory of its own. */
export function describeBackend<B extends Backend & PipeOpener & ListenerOpener>(
  label: string,
  makeBackend: () => B,
  peersOn: (backend: B) => Peers = workerPeers,
): void {
  const directory = mkdtempSync('/dev/shm/interproc-conformance-');
  process.env['INTERPROC_DIR'] = directory;

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  const backend = makeBackend();
  const { onQueue, onPipe, onLock } = peersOn(backend);
  describe(`Capabilities of ${label}`, () => capabilities(backend));
  describeQueue(label, () => ({ backend, whileBlocked: onQueue }));
  describePipe(label, () => ({ backend, whileBlocked: onPipe }));
  describeListener(label, () => backend);
  describeState(label, () => ({ backend }));
  describeLocks(label, () => ({ backend, peer: onLock }));

  it('leaves no file behind but its own', () => {
    expect(readdirSync(directory).filter((name) => !OWN_FILES.test(name))).toEqual([]);
  });
}
