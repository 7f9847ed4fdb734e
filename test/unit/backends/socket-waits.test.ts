/** How a thread that blocks on a socket looks and naps: it looks on as long as that has paid. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { SocketLine } from '../../../src/backends/socket/socket-line.js';

/** By this clock. */
const LOOK_MS = 0.01;

let directory: string;
let server: Server;
let line: SocketLine;
let broker: Socket;
/** What happened in this wait, in its order. */
let steps: ('look' | 'nap')[] = [];
/** After so many looks the broker says something. */
let comesAfter = Infinity;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'interproc-waits-'));
  const path = join(directory, 'socket');
  server = createServer();
  server.listen(path);
  await once(server, 'listening');
  line = SocketLine.to(path, 1000) as SocketLine;
  [broker] = (await once(server, 'connection')) as [Socket];
  let now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    steps.push('look');
    if (steps.length >= comesAfter) {
      comesAfter = Infinity;
      broker.write('x');
    }
    return (now += LOOK_MS);
  });
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    steps.push('nap');
    return 'timed-out';
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  line.close();
  broker.destroy();
  server.close();
  rmSync(directory, { recursive: true });
});

/** How often it looks before the first nap, in a wait for what somebody says in answer to a word; Infinity: it did not nap. */
function looksOf(isForReply: boolean, answerAfter = Infinity): number {
  line.write(Uint8Array.of(1));
  steps = [];
  comesAfter = answerAfter;
  expect(line.wait(1, isForReply)).toBe(answerAfter < Infinity);
  const at = steps.indexOf('nap');
  return at < 0 ? Infinity : at;
}

it('looks on while it waits for another client, and naps at once when that did not pay three times', () => {
  for (let i = 0; i < 10; i++) expect(looksOf(false, 15)).toBe(Infinity);
  for (let i = 0; i < 3; i++) expect(looksOf(false)).toBeGreaterThan(15);
  for (let i = 0; i < 10; i++) expect(looksOf(false)).toBeLessThan(5);
});

it('finds out that it pays again', () => {
  for (let i = 0; i < 3; i++) looksOf(false);
  const waits = Array.from({ length: 70 }, () => looksOf(false, 15));
  expect(waits[0]).toBeLessThan(5);
  expect(waits.slice(-3)).toEqual([Infinity, Infinity, Infinity]);
});

it('looks for a reply whatever came of other waits', () => {
  for (let i = 0; i < 5; i++) looksOf(false);
  for (let i = 0; i < 5; i++) expect(looksOf(true, 15)).toBe(Infinity);
  for (let i = 0; i < 5; i++) expect(looksOf(true)).toBeGreaterThan(15);
});
