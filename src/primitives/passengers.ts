import { InterprocError, shown } from '../errors.js';
import type { Channel } from '../contract/channel.js';
import type { Codec } from '../codec/codec.js';

/**
 * Handles inside messages. A message carries a *ticket* for each: it keeps the object alive until the message
 * was consumed, whoever has closed it meanwhile, and says where it is.
 *
 * A codec meets a handle in the middle of a message; which channel that message is for, and what became of
 * it, only the caller of the codec knows. So what was issued and what has arrived is kept here until that
 * caller asks for it, right after the codec has returned.
 */

/** One kind of handle. */
export interface Traveller {
  /** Stands in front of its tickets. */
  readonly kind: string;
  /**
   * The channel behind `object`; undefined if it is no handle of this kind.
   * @throws ERR_CLOSED
   */
  channelOf(object: object): Channel | undefined;
  /**
   * A handle of its own of what the ticket is for.
   * @throws ERR_NOT_FOUND, ERR_CORRUPT, ERR_NO_SLOT and what else an open throws
   */
  arrive(ticket: string): { close(): void };
}

const travellers = new Map<string, Traveller>();

export function registerTraveller(traveller: Traveller): void {
  travellers.set(traveller.kind, traveller);
}

/** The handle that came out of a message, and the ticket it came with. */
interface Arrival {
  readonly ticket: string;
  readonly handle: { close(): void };
}

let carrier: Channel | undefined;
let issued: string[] | undefined;
let arrivals: Arrival[] | undefined;

const encoder = new TextEncoder();
const decoder = new TextDecoder('latin1');

/**
 * What stands in a message for `object`; undefined if it is no handle.
 * @throws ERR_CLOSED, ERR_ENCODE; ERR_NOT_FOUND if its name was removed; ERR_NO_SPACE
 */
export function pack(object: object): Uint8Array | undefined {
  for (const traveller of travellers.values()) {
    const channel = traveller.channelOf(object);
    if (channel === undefined) continue;
    if (carrier === undefined) {
      throw new InterprocError('ERR_ENCODE', `${shown(object)} travels in messages only`);
    }
    const ticket = carrier.issueTicket(channel);
    (issued ??= []).push(ticket);
    return encoder.encode(`${traveller.kind}:${ticket}`);
  }
  return undefined;
}

/**
 * The handle that `pack` has made these bytes of.
 * @throws ERR_DECODE, and what opening it throws
 */
export function unpack(bytes: Uint8Array): object {
  const text = decoder.decode(bytes);
  const colon = text.indexOf(':');
  const traveller = colon < 0 ? undefined : travellers.get(text.slice(0, colon));
  if (traveller === undefined) {
    throw new InterprocError('ERR_DECODE', `${shown(text)} is no handle that this version knows`);
  }
  const ticket = text.slice(colon + 1);
  const handle = traveller.arrive(ticket);
  (arrivals ??= []).push({ ticket, handle });
  return handle;
}

/** What a message for a channel is made of, and the tickets of the handles in it. */
export class Boarding {
  /** Of the message encoded last; undefined if it has no handle in it. */
  tickets: string[] | undefined;
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** As `Codec.encode`; if it throws, no ticket stays behind. */
  encode<T>(codec: Codec<T>, value: T): number | Uint8Array {
    // What a value's own code puts meanwhile, a getter's say, is another message.
    const outerCarrier = carrier;
    const outerIssued = issued;
    carrier = this.#channel;
    issued = undefined;
    try {
      return codec.encode(value, this.#channel.outbox);
    } catch (error) {
      redeem(this.#channel, issued);
      issued = undefined;
      throw error;
    } finally {
      this.tickets = issued;
      carrier = outerCarrier;
      issued = outerIssued;
    }
  }

  /** The tickets of the message encoded last, which somebody else sees to from now on. */
  takeTickets(): string[] | undefined {
    const { tickets } = this;
    this.tickets = undefined;
    return tickets;
  }
}

/**
 * The tickets of the handles in the message that was decoded just now; undefined if it has none in it, as
 * almost all messages.
 */
export function takeArrivedTickets(): string[] | undefined {
  if (arrivals === undefined) return undefined;
  const tickets = arrivals.map(({ ticket }) => ticket);
  arrivals = undefined;
  return tickets;
}

/** The message could not be decoded: what had arrived of it is closed. */
export function turnBack(): void {
  const arrived = arrivals;
  arrivals = undefined;
  for (const { handle } of arrived ?? []) handle.close();
}

/** The message is consumed, or was never put. */
export function redeem(channel: Channel, tickets: readonly string[] | undefined): void {
  for (const ticket of tickets ?? []) channel.redeemTicket(ticket);
}
