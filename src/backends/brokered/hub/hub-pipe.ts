/** A pipe: two ends, each of which has an owner, is on its way in a message, or is lost. */

import type { EndIndex, PipeGeometry } from '../../../contract/pipe.js';
import type { Listed } from '../operations.js';
import type { Catalogue } from './catalogue.js';
import type { Ticketed } from './hub-object.js';
import { PipeFlow } from './pipe-flow.js';

/** Who has an end, as far as the pipe has something to tell it. */
export interface EndOwner {
  /** Messages have come for it, which it is to hand on to the pipe's flow or to take at once. */
  messagesCame(packed: Uint8Array): void;
  /** Room has come free for what it sends. */
  roomCameFree(): void;
  peerIsLost(): void;
}

export class HubEnd implements Ticketed {
  /** Undefined: nobody has it, and perhaps a message. */
  owner: EndOwner | undefined = undefined;
  /** The messages for whoever has it; tickets in them are good for it only. */
  readonly inbound: PipeFlow;
  readonly pipe: HubPipe;
  readonly index: EndIndex;
  #isLost = false;

  constructor(pipe: HubPipe, index: EndIndex) {
    const { capacityBytes, duplex } = pipe.geometry;
    this.pipe = pipe;
    this.index = index;
    this.inbound = new PipeFlow(duplex || index === 0 ? capacityBytes : 0);
  }

  get peer(): HubEnd {
    return this.pipe.ends[1 - this.index] as HubEnd;
  }

  get identity(): bigint {
    return this.pipe.identity;
  }

  get name(): string {
    return this.pipe.name;
  }

  get isThere(): boolean {
    return !this.#isLost;
  }

  /** Whether nothing can come any more. */
  get isAtEnd(): boolean {
    return this.inbound.bytes === 0 && !this.peer.isThere;
  }

  ticketWasRedeemed(): void {
    if (this.owner === undefined) this.loseIfStranded();
  }

  /** Nobody has it: it is lost unless a message that can still be received does. */
  loseIfStranded(): void {
    const { catalogue } = this.pipe;
    // Only what carries something can travel in what travels in it.
    const isStranded = catalogue.carries(this) ? !canArrive(this) : !catalogue.isTravelling(this);
    if (isStranded) this.lose();
  }

  /** Nobody will ever have it again: the other one gets what was sent, and then the end. */
  lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.owner = undefined;
    this.inbound.clear();
    this.pipe.catalogue.carrierIsGone(this);
    if (this.peer.isThere) this.peer.owner?.peerIsLost();
    else this.pipe.catalogue.removeListed(this.pipe);
  }
}

/** Whether it travels in something else than ends that travel in each other. */
function canArrive(end: HubEnd): boolean {
  const known = new Set([end]);
  for (const one of known) {
    for (const carrier of one.pipe.catalogue.carriersOf(one)) {
      if (!(carrier instanceof HubEnd) || carrier.owner !== undefined) return true;
      known.add(carrier);
    }
  }
  return false;
}

export class HubPipe {
  readonly ends: readonly [HubEnd, HubEnd];

  constructor(
    readonly catalogue: Catalogue,
    readonly geometry: PipeGeometry,
    readonly name = catalogue.anonymousName(),
    readonly identity = catalogue.nextIdentity(),
  ) {
    this.ends = [new HubEnd(this, 0), new HubEnd(this, 1)];
  }

  get info(): Listed {
    const { name, ends, geometry } = this;
    const { capacityBytes, duplex } = geometry;
    return {
      name,
      kind: 'pipe',
      totalBytes: (duplex ? 2 : 1) * capacityBytes,
      participants: ends.filter(({ isThere }) => isThere).length,
      size: ends[0].inbound.bytes + ends[1].inbound.bytes,
      persist: false,
      anonymous: true,
    };
  }
}

/** An end of that pipe as it is handed to whoever opens it a second time: the first one has the end, and this one has nothing. */
export function lostEnd({ pipe, index }: HubEnd): HubEnd {
  const { catalogue, geometry, name, identity } = pipe;
  const end = new HubPipe(catalogue, geometry, name, identity).ends[index];
  end.peer.lose();
  return end;
}
