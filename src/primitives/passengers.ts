import { InterprocError, shown } from '../errors.js';
import type { Backend, Channel, SharedObject, Ticket } from '../contract/channel.js';
import type { Movable } from '../contract/pipe.js';
import type { Codec } from '../codec/codec.js';
import { registerTravel } from '../codec/structured/travel.js';

/**
 * Handles inside messages. A message carries a *ticket* for each: it keeps the object alive until the message
 * was consumed, whoever has closed it meanwhile, and says where it is.
 *
 * A codec meets a handle in the middle of a message; which channel that message is for, and what became of
 * it, only the caller of the codec knows. So what was issued and what has arrived is kept here until that
 * caller asks for it, right after the codec has returned.
 */

/** What is behind a handle of one kind; undefined if `object` is none. @throws ERR_CLOSED */
export type SharedObjectOf = (object: object) => SharedObject | undefined;

/** Of a handle that a message takes with it, and that now waits for what becomes of the message: whom to tell. */
export type MovableOf = (object: object) => Movable;

/** What makes a handle of one kind beside its ticket, one line of ASCII; undefined if nothing does. */
export type SchemaOf = (object: object) => string | undefined;

/**
 * Makes the handle that a ticket is for.
 * @throws ERR_DECODE if there is no such kind; ERR_NOT_FOUND, ERR_CORRUPT, ERR_NO_SLOT and what else an open throws
 */
export type Arrive = (kind: string, ticket: Ticket, schema: string | undefined) => Handle;

/** What came out of a message. */
export interface Handle {
  close(): void;
}

interface Kind {
  readonly objectOf: SharedObjectOf;
  readonly schemaOf: SchemaOf | undefined;
  readonly movableOf: MovableOf | undefined;
}

/** What messages are put into, as far as handles in them are concerned: a queue's channel, the end of a pipe. */
export type Carrier = Pick<Channel, 'outbox' | 'issueTicket' | 'redeemTicket'>;

const kinds = new Map<string, Kind>();

/** Lets a kind of handles travel; its name stands in the messages. Those that have a `movableOf` move. */
export function letTravel(
  kind: string,
  objectOf: SharedObjectOf,
  schemaOf?: SchemaOf,
  movableOf?: MovableOf,
): void {
  kinds.set(kind, { objectOf, schemaOf, movableOf });
}

/** Refuses a kind of objects that no other process could use, and that would arrive as empty ones. */
export function keepFromTravelling(
  kind: string,
  isOne: (object: object) => boolean,
  wayOut: string,
): void {
  letTravel(kind, (object) => {
    if (!isOne(object)) return undefined;
    throw new InterprocError('ERR_ENCODE', `A ${kind} belongs to this process; ${wayOut}`);
  });
}

/** Makes handles of one kind out of the tickets of a backend. The schema may come from anybody. */
export type Unpack = (backend: Backend, ticket: Ticket, schema: string | undefined) => Handle;

/** The classes of handles that were bound together: what arrives in a message of one of them is one of them. */
export class HandleClasses {
  readonly #unpack = new Map<string, Unpack>();

  add(kind: string, unpack: Unpack): void {
    this.#unpack.set(kind, unpack);
  }

  /** For messages of objects of that backend. */
  arriveOn(backend: Backend): Arrive {
    return (kind, ticket, schema) => {
      const unpack = this.#unpack.get(kind);
      if (unpack !== undefined) return unpack(backend, ticket, schema);
      throw new InterprocError(
        'ERR_DECODE',
        `A handle of the kind ${shown(kind)}, which this version does not know`,
      );
    };
  }
}

/** The handle that came out of a message, and the ticket it came with. */
export interface Arrival {
  readonly ticket: Ticket;
  readonly handle: Handle;
}

/** The handles in a message that is to be put. */
export interface Passengers {
  readonly tickets: Ticket[];
  /** Of those that go with the message. */
  readonly movables: Movable[];
}

// Of the message being encoded, and of the one being decoded or decoded last.
let carrier: Carrier | undefined;
let boarded: Passengers | undefined;
let arrive: Arrive | undefined;
let arrivals: Arrival[] | undefined;

const encoder = new TextEncoder();
const decoder = new TextDecoder('latin1');

/**
 * What stands in a message for `object`, `kind:ticket` and perhaps a line with its schema; undefined if it is no handle.
 * @throws ERR_CLOSED, ERR_ENCODE; ERR_NOT_FOUND if its name was removed; ERR_NO_SPACE
 */
function pack(object: object): Uint8Array | undefined {
  for (const [kind, { objectOf, schemaOf, movableOf }] of kinds) {
    const passenger = objectOf(object);
    if (passenger === undefined) continue;
    if (carrier === undefined) {
      throw new InterprocError('ERR_ENCODE', `${shown(object)} travels in messages only`);
    }
    const ticket = carrier.issueTicket(passenger);
    boarded ??= { tickets: [], movables: [] };
    boarded.tickets.push(ticket);
    if (movableOf !== undefined) boarded.movables.push(movableOf(object));
    const schema = schemaOf?.(object);
    return encoder.encode(`${kind}:${ticket}${schema === undefined ? '' : `\n${schema}`}`);
  }
  return undefined;
}

/**
 * The handle that `pack` has made these bytes of.
 * @throws ERR_DECODE, and what opening it throws
 */
function unpack(bytes: Uint8Array): object {
  const text = decoder.decode(bytes);
  const colon = text.indexOf(':');
  if (colon < 0 || arrive === undefined) {
    throw new InterprocError('ERR_DECODE', `${shown(text)} is no handle`);
  }
  const line = text.indexOf('\n', colon);
  const ticket = text.slice(colon + 1, line < 0 ? undefined : line);
  const schema = line < 0 ? undefined : text.slice(line + 1);
  const handle = arrive(text.slice(0, colon), ticket, schema);
  (arrivals ??= []).push({ ticket, handle });
  return handle;
}

/** What a message for a carrier is made of, and the handles in it. */
export class Boarding {
  /** Of the message encoded last; undefined if it has no handle in it, or it is over with. */
  passengers: Passengers | undefined;
  readonly #carrier: Carrier;

  constructor(to: Carrier) {
    this.#carrier = to;
  }

  /** As `Codec.encode`; if it throws, nobody has boarded. */
  encode<T>(codec: Codec<T>, value: T): number | Uint8Array {
    if (codec.carriesHandles !== true) return codec.encode(value, this.#carrier.outbox);
    // What a value's own code puts meanwhile, a getter's say, is another message.
    const outerCarrier = carrier;
    const outerBoarded = boarded;
    carrier = this.#carrier;
    boarded = undefined;
    try {
      return codec.encode(value, this.#carrier.outbox);
    } catch (error) {
      disembark(this.#carrier, boarded);
      boarded = undefined;
      throw error;
    } finally {
      this.passengers = boarded;
      carrier = outerCarrier;
      boarded = outerBoarded;
    }
  }

  /** Those of the message encoded last, which somebody else sees to from now on. */
  takePassengers(): Passengers | undefined {
    const { passengers } = this;
    this.passengers = undefined;
    return passengers;
  }
}

/** The message was put. */
export function depart(passengers: Passengers | undefined): void {
  for (const movable of passengers?.movables ?? []) movable.depart();
}

/** The message will not be put. */
export function disembark(from: Carrier, passengers: Passengers | undefined): void {
  // First: a ticket that is redeemed while its object is on the way is one that arrived, or is lost.
  for (const movable of passengers?.movables ?? []) movable.stay();
  redeem(from, passengers?.tickets);
}

/** As `Codec.decode`; what becomes of the handles in it is to be settled right afterwards, by the next two. */
export function decodeWith<T>(
  arriving: Arrive,
  codec: Codec<T>,
  bytes: Uint8Array,
  offset: number,
  length: number,
): T {
  // Not set back: whoever decodes next sets it first, and nobody else asks.
  arrive = arriving;
  return codec.decode(bytes, offset, length);
}

/** The same of a message in an array of its own. */
export function decodeOwnWith<T>(arriving: Arrive, codec: Codec<T>, bytes: Uint8Array): T {
  arrive = arriving;
  return codec.decodeOwn(bytes);
}

/**
 * The tickets of the handles in the message that was decoded just now; undefined if it has none in it, as
 * almost all messages.
 */
export function takeArrivedTickets(): Ticket[] | undefined {
  return takeArrivals()?.map(({ ticket }) => ticket);
}

/** The same with the handles. */
export function takeArrivals(): readonly Arrival[] | undefined {
  const arrived = arrivals;
  arrivals = undefined;
  return arrived;
}

/** The message could not be decoded: what had arrived of it is closed. */
export function turnBack(): void {
  const arrived = arrivals;
  arrivals = undefined;
  for (const { handle } of arrived ?? []) handle.close();
}

/** The message is consumed, or was never put. */
export function redeem(
  channel: Pick<Carrier, 'redeemTicket'>,
  tickets: readonly Ticket[] | undefined,
): void {
  for (const ticket of tickets ?? []) channel.redeemTicket(ticket);
}

registerTravel('handle', { pack, unpack });
