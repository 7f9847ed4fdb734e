/** A name where one session accepts connections, and the clients that wait there. */

import { ACCEPT } from '../../../contract/listener.js';
import type { PipeGeometry } from '../../../contract/pipe.js';
import type { Side, Ticket } from '../../../contract/shared-object.js';
import type { Listed } from '../operations.js';
import type { Catalogue, Named } from './catalogue.js';
import { Waits } from './hub-object.js';
import { HubEnd } from './hub-pipe.js';

/** A client: its process, as it says itself, and the ticket of the end that it has left. */
interface Client {
  readonly pid: number;
  readonly ticket: Ticket;
}

export class HubListener implements Named {
  readonly kind = 'listener';
  readonly isKept = false;
  readonly waits = new Waits();
  readonly identity: bigint;
  users = 0;
  #clients: Client[] = [];
  #listens = true;

  constructor(
    readonly catalogue: Catalogue,
    readonly name: string,
    readonly backlog: number,
    readonly isKeyed: boolean,
    /** Of its connections. */
    readonly geometry: PipeGeometry,
  ) {
    this.identity = catalogue.nextIdentity();
  }

  get listens(): boolean {
    return this.#listens;
  }

  get isThere(): boolean {
    return this.catalogue.has(this);
  }

  get isUnused(): boolean {
    return this.users === 0;
  }

  get size(): number {
    return this.#clients.length;
  }

  get isFull(): boolean {
    return this.size >= this.backlog;
  }

  get info(): Listed {
    return {
      name: this.name,
      kind: this.kind,
      totalBytes: 0,
      participants: this.users,
      size: this.size,
      persist: false,
      anonymous: false,
    };
  }

  isWorthALook(side: Side): boolean {
    if (side === ACCEPT) return this.size > 0;
    return !this.#listens || !this.isFull;
  }

  /** The end is on its way to whoever accepts. */
  add(end: HubEnd, pid: number): void {
    this.#clients.push({ pid, ticket: this.catalogue.issue(end, this) });
    this.waits.wake(ACCEPT, 1);
  }

  /** Gives the end of the next client to `accept`, if there is one; it has to have an owner then. */
  next(accept: (end: HubEnd, pid: number) => void): boolean {
    for (;;) {
      const client = this.#clients.shift();
      if (client === undefined) return false;
      this.waits.wakeWorthy();
      const end = this.catalogue.passengerOf(client.ticket);
      const isSound = end instanceof HubEnd && this.#suits(end.pipe.geometry);
      if (isSound) accept(end, client.pid);
      // What nobody has taken is lost with this.
      this.catalogue.redeem(client.ticket);
      if (isSound) return true;
    }
  }

  /** Whether the client has made the pipe that it was told to make. */
  #suits(geometry: PipeGeometry): boolean {
    const { capacityBytes, maxMessageBytes, codec } = this.geometry;
    return (
      geometry.duplex &&
      geometry.capacityBytes === capacityBytes &&
      geometry.maxMessageBytes === maxMessageBytes &&
      geometry.codec === codec
    );
  }

  end(): void {
    this.#listens = false;
    this.waits.wakeWorthy();
  }

  /** Nobody will accept any more. */
  close(): void {
    this.end();
    this.#clients = [];
    this.catalogue.unlink(this);
    this.catalogue.carrierIsGone(this);
  }

  forgotten(): void {}

  ticketWasRedeemed(): void {}
}
