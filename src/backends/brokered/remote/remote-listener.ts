/** A listener in the hands of either side, behind a hub. */

import { InterprocError } from '../../../errors.js';
import { EMPTY, ENDED, FULL } from '../../../contract/listener.js';
import type {
  ClientEnd,
  ListenerEnd,
  ListenerOptions,
  ListenerTerms,
} from '../../../contract/listener.js';
import type { PipeEnd } from '../../../contract/pipe.js';
import type { Body } from '../frames.js';
import {
  ACCEPT_CLIENT,
  CLIENTS_WAITING,
  END_LISTENING,
  OFFER_CLIENT,
  OFFER_FULL,
  OFFER_TAKEN,
} from '../listener-operations.js';
import { OPEN_BACKLOG, OPEN_LISTENER } from '../operations.js';
import { pipeGeometry, readGeometry, writeGeometry } from '../pipe-geometry.js';
import type { Link } from './link.js';
import { RemoteObject } from './remote-object.js';
import { arrivedEnd, RemotePipeEnd } from './remote-pipe.js';

interface Opened {
  readonly handle: number;
  readonly identity: bigint;
  readonly terms: ListenerTerms;
}

export class RemoteListener extends RemoteObject implements ListenerEnd, ClientEnd {
  readonly terms: ListenerTerms;
  clientPid = 0;

  constructor(link: Link, name: string, { handle, identity, terms }: Opened) {
    super(link, handle, identity, name);
    this.terms = terms;
  }

  tryAccept(): PipeEnd | number {
    this.request(ACCEPT_CLIENT);
    const reply = this.link.ask();
    if (!reply.bool()) return EMPTY;
    this.clientPid = reply.u32();
    return arrivedEnd(this.link, reply);
  }

  tryOffer(theirs: PipeEnd): number {
    if (!(theirs instanceof RemotePipeEnd) || theirs.connection !== this.link) {
      throw new InterprocError(
        'ERR_ENCODE',
        `The end of a pipe of another backend or broker cannot wait at '${this.name}'`,
      );
    }
    theirs.prepareToTravel();
    this.request(OFFER_CLIENT).u32(theirs.handle);
    const status = this.link.ask(theirs.unconsumed()).u8();
    if (status === OFFER_TAKEN) {
      theirs.hasMoved();
      return 0;
    }
    return status === OFFER_FULL ? FULL : ENDED;
  }

  end(): void {
    this.#unlessLost(() => {
      this.request(END_LISTENING);
      this.link.ask();
    });
  }

  override unlink(): void {
    this.#unlessLost(() => super.unlink());
  }

  /** Both are how it is closed: with its hub it has ended anyway. */
  #unlessLost(leave: () => void): void {
    try {
      leave();
    } catch (error) {
      if (!this.link.isLost) throw error;
    }
  }

  size(): number {
    this.request(CLIENTS_WAITING);
    return this.link.ask().u32();
  }
}

/** @throws ERR_EXISTS, ERR_INVALID_ARG, ERR_BROKER */
export function openListener(link: Link, name: string, options: ListenerOptions): ListenerEnd {
  const { backlog, isKeyed, codec, capacityBytes, maxMessageBytes } = options;
  const geometry = pipeGeometry({ codec, capacityBytes, maxMessageBytes });
  writeGeometry(link.begin(0, OPEN_LISTENER).text(name).u32(backlog).bool(isKeyed), geometry);
  return new RemoteListener(link, name, readListener(link.ask()));
}

/** @throws ERR_NOT_FOUND, ERR_KIND, ERR_BROKER */
export function openBacklog(link: Link, name: string): ClientEnd {
  link.begin(0, OPEN_BACKLOG).text(name);
  return new RemoteListener(link, name, readListener(link.ask()));
}

function readListener(body: Body): Opened {
  const handle = body.u32();
  const identity = body.u64();
  const backlog = body.u32();
  const isKeyed = body.bool();
  const { capacityBytes, maxMessageBytes, codec } = readGeometry(body);
  const terms = Object.freeze({ backlog, isKeyed, capacityBytes, maxMessageBytes, codec });
  return { handle, identity, terms };
}
