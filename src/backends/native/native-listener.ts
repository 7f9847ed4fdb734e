import { InterprocError } from '../../errors.js';
import { EMPTY, ENDED, FULL } from '../../contract/listener.js';
import type { ClientEnd, ListenerEnd, ListenerTerms } from '../../contract/listener.js';
import type { PipeEnd } from '../../contract/pipe.js';
import type { Ticket } from '../../contract/shared-object.js';
import type { Token } from './addon.js';
import { issueTicket, redeemTicket } from './carrier.js';
import { statusError } from './failures.js';
import { NativeObject } from './native-object.js';
import type { NativeThread } from './native-thread.js';

/** Opens the end that a ticket is for. */
type Arrive = (ticket: Ticket) => PipeEnd;

/** What a client leaves: its process, and the ticket of its pipe's other end. */
const MESSAGE = /^([0-9]{1,10}) (\S+)$/;

/** What this process is short of now. Whatever else it is that keeps the end of a client from us, it will be so for ever. */
const SHORTAGES: ReadonlySet<string> = new Set(['ERR_SYSTEM', 'ERR_NO_SPACE', 'ERR_TIMEOUT']);

/** A native listener, in the hands of either side. */
export class NativeListener extends NativeObject implements ListenerEnd, ClientEnd {
  readonly terms: ListenerTerms;
  clientPid = 0;
  readonly #arrive: Arrive;

  constructor(thread: NativeThread, token: Token, name: string, directory: string, arrive: Arrive) {
    super(thread, token, name, directory);
    this.terms = Object.freeze(thread.addon.listenerGeometry(token));
    this.#arrive = arrive;
  }

  tryAccept(): PipeEnd | number {
    for (;;) {
      const message = this.#receive();
      if (message === undefined) return EMPTY;
      const { receipt, pid, ticket } = message;
      let client: PipeEnd | undefined;
      try {
        client = this.#arrive(ticket);
      } catch (error) {
        // For lack of a file descriptor, say: it is still there when there is one.
        if (!(error instanceof InterprocError) || SHORTAGES.has(error.code)) {
          this.addon.undeliver(this.token, receipt);
          throw error;
        }
      }
      // The ticket last, as of every message: until then it may be had again.
      this.addon.ack(this.token, receipt);
      redeemTicket(this, ticket);
      this.clientPid = pid;
      if (client === undefined) continue;
      if (this.#suits(client)) return client;
      client.close();
    }
  }

  /** Whether the client has made the pipe that it was told to make: what it says is not believed. */
  #suits({ geometry }: PipeEnd): boolean {
    const { capacityBytes, maxMessageBytes, codec } = this.terms;
    return (
      geometry.duplex &&
      geometry.capacityBytes === capacityBytes &&
      geometry.maxMessageBytes === maxMessageBytes &&
      geometry.codec === codec
    );
  }

  #receive(): { receipt: number; pid: number; ticket: Ticket } | undefined {
    const { constants, addon } = this;
    const length = addon.receive(this.token);
    if (length === -constants.empty || length === -constants.ended) return undefined;
    if (length < 0) throw statusError(constants, -length, this.name);
    const receipt = addon.results[constants.receipt] as number;
    const { buffer, byteOffset } = this.thread.inbox;
    const text = Buffer.from(buffer, byteOffset, length).toString('latin1');
    const [, pid, ticket] = MESSAGE.exec(text) ?? [];
    return { receipt, pid: Number(pid ?? 0), ticket: ticket ?? '' };
  }

  tryOffer(theirs: PipeEnd): number {
    const { constants, addon } = this;
    if (!addon.listens(this.token)) return ENDED;
    // Looked at first: a ticket is a file.
    if (addon.isFull(this.token)) return FULL;
    const ticket = issueTicket(this.thread, this, theirs);
    const result = addon.putBytes(this.token, Buffer.from(`${process.pid} ${ticket}`, 'latin1'));
    if (result === 0) {
      theirs.depart();
      return 0;
    }
    theirs.stay();
    redeemTicket(this, ticket);
    if (result === -constants.full) return FULL;
    if (result === -constants.ended) return ENDED;
    throw statusError(constants, -result, this.name);
  }

  end(): void {
    this.addon.end(this.token);
  }

  size(): number {
    return this.addon.size(this.token);
  }
}
