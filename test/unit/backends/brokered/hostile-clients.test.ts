import { describe, expect, it } from 'vitest';

import { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import {
  CLOSE,
  ISSUE_TICKET,
  OPEN_CHANNEL,
} from '../../../../src/backends/brokered/operations.js';
import { RawClient } from './frames-of-clients.js';

function openQueue(client: RawClient, name: string | null): number {
  const reply = client.ask(0, OPEN_CHANNEL, (body) =>
    body.json(name).text('openOrCreate').json({}),
  );
  return reply.readUInt32LE(0);
}

describe('a hub', () => {
  it.each(['close', 'death'])('survives the end of a chain of handles inside messages, by %s', (end) => {
    const hub = new Hub();
    const client = new RawClient(hub);
    let carrier = openQueue(client, null);
    for (let i = 0; i < 20_000; i++) {
      const next = openQueue(client, null);
      client.ask(next, ISSUE_TICKET, (body) => body.u32(carrier));
      client.tell(carrier, CLOSE);
      carrier = next;
    }
    expect(() => (end === 'close' ? client.tell(carrier, CLOSE) : client.lost())).not.toThrow();
    expect(client.isEnded).toBe(false);
    expect(hub.catalogue.isEmpty).toBe(true);
  });
});
