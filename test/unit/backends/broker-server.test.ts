import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FrameSplitter, FrameWriter } from '../../../src/backends/brokered/frames.js';
import { Hub } from '../../../src/backends/brokered/hub/hub.js';
import {
  HELLO,
  JOURNAL,
  JOURNAL_GO,
  LIST,
  OPEN_STATE,
  PROTOCOL_VERSION,
  WANT_JOURNAL,
} from '../../../src/backends/brokered/operations.js';
import {
  CLEAR_EVENT,
  EVENT_STATE,
  READ_BYTES,
  SET_EVENT,
} from '../../../src/backends/brokered/state-operations.js';
import { BrokerServer } from '../../../src/backends/socket/broker-server.js';
import type { StateKind } from '../../../src/contract/state.js';
import { RawClient } from './brokered/frames-of-clients.js';

/** Far more than a socket and a backlog hold. */
const LARGE_BYTES = 2 ** 23;

let directory: string;
let hub: Hub;
let server: BrokerServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'interproc-server-'));
  hub = new Hub();
  server = new BrokerServer();
  await server.listen(join(directory, 'broker'));
  server.serve(hub, directory, () => true);
});

afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

function openState(body: FrameWriter, name: string, kind: StateKind, byteLength: number) {
  const options = { kind, byteLength, schema: '', parameter: 0, persist: false };
  return body
    .text('openOrCreate')
    .text(name)
    .json({ ...options, maxParticipants: 8 });
}

/** A client that has asked for much, and reads none of it: his handle of 'e' is 1. */
async function deafClient(): Promise<Socket> {
  const socket = connect(join(directory, 'broker'));
  await once(socket, 'connect');
  const frames = new FrameWriter();
  frames.begin(0, HELLO, 1).u32(PROTOCOL_VERSION).u32(process.pid).end();
  openState(frames.begin(0, OPEN_STATE, 2), 'e', 'event', 0).end();
  openState(frames.begin(0, OPEN_STATE, 3), 'm', 'memory', LARGE_BYTES).end();
  frames.begin(2, READ_BYTES, 4).u32(0).u32(LARGE_BYTES).end();
  socket.pause();
  socket.write(frames.takeAway());
  while (socket.bytesRead < 2 ** 10) await turn();
  for (let i = 0; i < 10; i++) await turn();
  return socket;
}

describe('a client that does not read what it is sent, and dies', () => {
  it.each([0, 1_000, 10_000])('is heard to the end: %i words, and one', async (count) => {
    const observer = new RawClient(hub);
    const event = observer
      .ask(0, OPEN_STATE, (body) => openState(body, 'e', 'event', 0))
      .readUInt32LE(0);
    const client = await deafClient();
    const words = new FrameWriter();
    for (let i = 0; i < count; i++) words.begin(1, CLEAR_EVENT, 0).end();
    words.begin(1, SET_EVENT, 0).end();
    client.write(words.takeAway());
    expect(client.writableLength, 'all of it is in the hands of the kernel').toBe(0);
    client.destroy();
    const isSet = () => observer.ask(event, EVENT_STATE).readUInt8(0) === 1;
    while (hub.isShared) await turn();
    expect(isSet()).toBe(true);
  });
});

/** A client, and where its journal is. */
async function journalClient() {
  const socket = connect(join(directory, 'broker'));
  const say = (operation: number, sequence = 0) => socket.write(frame(operation, sequence));
  const hello = new FrameWriter().begin(0, HELLO, 1).u32(PROTOCOL_VERSION).u32(process.pid);
  hello.end();
  socket.write(hello.takeAway());
  say(WANT_JOURNAL);
  const path = await new Promise<string>((resolve) => {
    const splitter = new FrameSplitter((_handle, operation, _sequence, body) => {
      if (operation === JOURNAL) resolve(body.text());
    });
    socket.on('data', (bytes) => splitter.push(bytes as Buffer));
  });
  return { socket, path, say };
}

function frame(operation: number, sequence: number): Buffer {
  const writer = new FrameWriter().begin(0, operation, sequence);
  writer.end();
  return writer.takeAway();
}

describe('a request that is found in a journal', () => {
  it('is not done late, after a pause in which who asked has given up', async () => {
    const { socket, path, say } = await journalClient();
    // Events have come for so long that none of them is late, nor what follows them.
    for (let sequence = 2; sequence < 10; sequence++) {
      say(LIST, sequence);
      await sleep(50);
    }
    // So that it is not hidden yet.
    const journal = openSync(path, 'a');
    say(JOURNAL_GO);
    say(LIST, 10);
    await once(socket, 'data');
    const late = new FrameWriter();
    openState(late.begin(0, OPEN_STATE, 11), 'late', 'event', 0).end();
    writeSync(journal, late.take());
    closeSync(journal);
    socket.destroy();
    // The hub stands still with this thread, and looks before it hears anything.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    const serve = vi.spyOn(hub, 'serve');
    while (!hub.isIdle) await turn();
    expect(serve).not.toHaveBeenCalled();
  });
});
