import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, afterEach, expect, it } from 'vitest';

import { EMPTY } from '../../../src/contract/listener.js';
import type { ClientEnd, ListenerEnd } from '../../../src/contract/listener.js';
import type { PipeEnd } from '../../../src/contract/pipe.js';
import type { SharedObject } from '../../../src/contract/shared-object.js';
import { issueTicket } from '../../../src/backends/native/carrier.js';
import { NativeBackend } from '../../../src/backends/native/native-backend.js';
import type { NativeListener } from '../../../src/backends/native/native-listener.js';

const directory = mkdtempSync('/dev/shm/interproc-listener-');
process.env['INTERPROC_DIR'] = directory;

const backend = new NativeBackend();
const opened: { close(): void }[] = [];

afterEach(() => {
  for (const object of opened.splice(0).reverse()) object.close();
  expect(backend.registry.list()).toEqual([]);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function keep<O extends { close(): void }>(object: O): O {
  opened.push(object);
  return object;
}

function listen(): { listener: ListenerEnd; backlog: ClientEnd } {
  const options = { backlog: 8, isKeyed: false, codec: 'json', maxMessageBytes: 1000 };
  return {
    listener: keep(backend.openListener('door', options)),
    backlog: keep(backend.openBacklog('door')),
  };
}

/** As clients do that are told what pipe to make. */
function offerAsAgreed(backlog: ClientEnd): PipeEnd {
  const { capacityBytes, maxMessageBytes, codec } = backlog.terms;
  const [ours, theirs] = backend.openPipe({ capacityBytes, maxMessageBytes, codec });
  expect(backlog.tryOffer(keep(theirs))).toBe(0);
  return keep(ours);
}

/** Leaves a ticket in the backlog that no client of this package leaves there. */
function forge(backlog: ClientEnd, passenger: SharedObject): string {
  const ticket = issueTicket(backend.thread, backlog as NativeListener, passenger);
  const message = Buffer.from(`${process.pid} ${ticket}`, 'latin1');
  expect(backend.thread.addon.putBytes((backlog as NativeListener).token, message)).toBe(0);
  return ticket;
}

it.each([
  { what: 'is of another codec', options: { codec: 'structured', maxMessageBytes: 1000 } },
  { what: 'takes larger messages', options: { codec: 'json', maxMessageBytes: 1001 } },
  { what: 'goes one way', options: { codec: 'json', maxMessageBytes: 1000, duplex: false } },
  {
    what: 'is larger',
    options: { codec: 'json', maxMessageBytes: 1000, capacityBytes: 2 ** 20 },
  },
])('passes over a client whose pipe $what', ({ options }) => {
  const { listener, backlog } = listen();
  const [reader, theirs] = backend.openPipe(options);
  keep(reader);
  expect(backlog.tryOffer(keep(theirs))).toBe(0);
  const client = offerAsAgreed(backlog);
  const accepted = keep(listener.tryAccept() as PipeEnd);
  expect(accepted.identity()).toBe(client.identity());
  expect(listener.tryAccept()).toBe(EMPTY);
  expect(reader.peerIsGone()).toBe(true);
});

it('passes over what is no end of a pipe', () => {
  const { listener, backlog } = listen();
  forge(backlog, keep(backend.openChannel('queue', 'create', {})));
  const client = offerAsAgreed(backlog);
  expect(keep(listener.tryAccept() as PipeEnd).identity()).toBe(client.identity());
});

it('passes over an end that nobody can join', () => {
  const { listener, backlog } = listen();
  const { capacityBytes, maxMessageBytes, codec } = backlog.terms;
  const [ours, theirs] = backend.openPipe({ capacityBytes, maxMessageBytes, codec });
  keep(ours);
  const ticket = forge(backlog, keep(theirs));
  const openAll = () => {
    for (;;) keep(backend.openPipeTicket(ticket));
  };
  expect(openAll).toThrow(expect.objectContaining({ code: 'ERR_NO_SLOT' }));
  const client = offerAsAgreed(backlog);
  expect(keep(listener.tryAccept() as PipeEnd).identity()).toBe(client.identity());
});
