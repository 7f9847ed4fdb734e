import type { OpenMode, Ticket } from '../../../contract/shared-object.js';
import type { StateGeometry, StateKind, StateOptions } from '../../../contract/state.js';
import type { FrameWriter } from '../frames.js';
import { fail } from './fail.js';
import type { Opener } from './hub.js';
import { HubState } from './hub-state.js';
import type { Session } from './session.js';
import { StateAttachment } from './state-attachment.js';

const KINDS: readonly StateKind[] = [
  'value',
  'array',
  'memory',
  'list',
  'lock',
  'rlock',
  'semaphore',
  'boundedSemaphore',
  'condition',
  'event',
  'barrier',
  'rwlock',
];
const MODES: readonly OpenMode[] = ['create', 'open', 'openOrCreate'];

export const openState: Opener = (session, body, reply) => {
  const mode = body.text() as OpenMode;
  const asked = body.text();
  const options = body.json() as StateOptions;
  if (!MODES.includes(mode)) fail('ERR_CORRUPT', `No mode '${mode}'`);
  const { catalogue } = session;
  const anonymous = asked === '';
  const name = anonymous ? catalogue.anonymousName() : asked;
  const known = anonymous ? undefined : catalogue.find(name, mode);
  if (known !== undefined) {
    attach(session, assertState(known, name, options.kind), reply);
    return;
  }
  const made = make(session, name, geometryOf(options, anonymous), body.rest());
  try {
    attach(session, made, reply);
  } catch (error) {
    catalogue.removeIfUnused(made);
    throw error;
  }
};

function make(
  { catalogue, files }: Session,
  name: string,
  geometry: StateGeometry,
  initial: Uint8Array,
): HubState {
  try {
    const made = new HubState(catalogue, files, name, geometry, initial);
    catalogue.add(made);
    return made;
  } catch (error) {
    catalogue.abandon(name);
    throw error;
  }
}

export const openStateTicket: Opener = (session, body, reply) => {
  const ticket: Ticket = body.text();
  const kind = body.text();
  const passenger = session.catalogue.passengerOf(ticket);
  if (passenger === undefined || !passenger.isThere) {
    fail('ERR_NOT_FOUND', `The ${kind} that was in the message is gone`);
  }
  attach(session, assertState(passenger, passenger.name, kind), reply);
};

function assertState(found: object, name: string, kind: string): HubState {
  if (found instanceof HubState && found.kind === kind) return found;
  const there = 'kind' in found && typeof found.kind === 'string' ? found.kind : 'pipe';
  return fail('ERR_KIND', `'${name}' is a ${there}, and was opened as a ${kind}`);
}

function attach(session: Session, state: HubState, reply: FrameWriter): void {
  const { handle } = new StateAttachment(session, state);
  reply.u32(handle).u64(state.identity).text(state.name).json(state.geometry);
}

/** Nothing of it is believed: it may come from anybody. */
function geometryOf(options: StateOptions, anonymous: boolean): StateGeometry {
  const { kind, byteLength, schema, parameter, persist, maxParticipants } = options;
  const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isKnown = KINDS.includes(kind) && typeof schema === 'string';
  if (!isKnown || ![byteLength, parameter, maxParticipants].every(isWhole)) {
    fail('ERR_CORRUPT', 'No state can be like that');
  }
  return {
    kind,
    byteLength,
    schema,
    parameter,
    persist: Boolean(persist) && !anonymous,
    maxParticipants,
    anonymous,
  };
}
