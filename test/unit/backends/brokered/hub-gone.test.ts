import { afterEach, describe, expect, it } from 'vitest';

import { PUT as PUT_SIDE, TAKE as TAKE_SIDE } from '../../../../src/contract/channel.js';
import type { Side } from '../../../../src/contract/shared-object.js';
import { ACQUIRE } from '../../../../src/contract/locks.js';
import { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import type { Line } from '../../../../src/backends/brokered/line.js';
import { giveBackAll } from '../../../../src/backends/brokered/remote/borrowed.js';
import { Link } from '../../../../src/backends/brokered/remote/link.js';
import { openChannel } from '../../../../src/backends/brokered/remote/remote-channel.js';
import { openPipe } from '../../../../src/backends/brokered/remote/remote-pipe.js';
import type { RemotePipeEnd } from '../../../../src/backends/brokered/remote/remote-pipe.js';
import { openState } from '../../../../src/backends/brokered/remote/remote-state.js';

/** Of a hub whose end the thread has not noticed: it is what a write meets. */
class DyingLine implements Line {
  onBytes: (bytes: Buffer) => void = () => {};
  onLost: (cause: Error) => void = () => {};
  isDead = false;
  readonly #session;
  readonly #arrived: Buffer[] = [];

  constructor(hub: Hub) {
    this.#session = hub.connect({
      write: (bytes) => void this.#arrived.push(bytes),
      close: () => {},
    });
  }

  write(bytes: Uint8Array): void {
    if (this.isDead) throw new Error('EPIPE');
    this.#session.receive(Buffer.from(bytes));
  }

  wait(): boolean {
    const arrived = this.#arrived.splice(0);
    for (const bytes of arrived) this.onBytes(bytes);
    return arrived.length > 0;
  }

  ref(): void {}
  unref(): void {}
  close(): void {}
}

describe('when the hub is gone and nobody has noticed', () => {
  const line = () => new DyingLine(new Hub());
  let dying = line();
  afterEach(() => {
    dying = line();
  });

  it('room and messages are given back without an error: nobody could catch it', () => {
    const link = new Link(dying);
    const room = openChannel(link, 'q', 'openOrCreate', {});
    for (let i = 0; i < 8; i++) room.tryPut(Buffer.from('message'));
    const hand = openChannel(link, 'q', 'openOrCreate', {});
    hand.tryTake();
    hand.tryTake();
    hand.tryTake();
    room.tryPut(Buffer.from('message'));
    dying.isDead = true;
    expect(() => giveBackAll()).not.toThrow();
    expect(link.isLost).toBe(true);
    expect(() => room.tryPut(Buffer.from('message'))).toThrow(
      expect.objectContaining({ code: 'ERR_BROKER' }),
    );
  });

  it('a handle that has messages in hand closes', () => {
    const link = new Link(dying);
    const channel = openChannel(link, 'q', 'openOrCreate', {});
    for (let i = 0; i < 8; i++) channel.tryPut(Buffer.from('message'));
    for (let i = 0; i < 3; i++) channel.tryTake();
    dying.isDead = true;
    expect(() => channel.close()).not.toThrow();
    expect(channel.identity()).toBe(0n);
  });

  it.each<Side>([PUT_SIDE, TAKE_SIDE])('a wait is withdrawn, on side %i', (side) => {
    const channel = openChannel(new Link(dying), 'q', 'openOrCreate', {});
    channel.arm(side);
    dying.isDead = true;
    expect(() => channel.disarm(side)).not.toThrow();
  });

  it('a line for a lock is left', () => {
    const lock = openState(new Link(dying), 'l', 'openOrCreate', {
      kind: 'lock',
      byteLength: 0,
      schema: '',
      parameter: 0,
      persist: false,
      maxParticipants: 8,
    });
    lock.arm(ACQUIRE);
    dying.isDead = true;
    expect(() => lock.leave(ACQUIRE)).not.toThrow();
  });

  it.each(['stay', 'depart'] as const)('an end of a pipe that was to travel: %s', (outcome) => {
    const link = new Link(dying);
    const [end] = openPipe(link, {});
    openChannel(link, 'q', 'openOrCreate', {}).issueTicket(end);
    dying.isDead = true;
    expect(() => end[outcome]()).not.toThrow();
    expect(link.isLost).toBe(true);
    expect((end as RemotePipeEnd).isClosed).toBe(outcome === 'depart');
  });
});
