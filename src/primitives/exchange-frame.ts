/**
 * What stands in a message that is part of an exchange of requests and responses:
 *
 *     byte 0       1        2      4                     8
 *     | kind     | detail | 0    | id, little-endian   | body: a value in the codec of the connection, or an error
 *
 * The id is the requester's; each end numbers its own.
 */

export const REQUEST = 1;
export const RESPONSE = 2;
/** The request came to nothing; `detail` says why. */
export const FAILURE = 3;
/** The requester waits no more. Without a body. */
export const CANCEL = 4;

/** Details of a failure: the handler threw, and the body says what; nobody handles requests. */
export const THROWN = 0;
export const UNHANDLED = 1;

export const HEADER_BYTES = 8;

export type FrameKind = typeof REQUEST | typeof RESPONSE | typeof FAILURE | typeof CANCEL;

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly detail: number;
  readonly id: number;
}

/** Writes the header to the start of `bytes`. */
export function writeHeader(bytes: Uint8Array, { kind, detail, id }: FrameHeader): void {
  bytes[0] = kind;
  bytes[1] = detail;
  bytes[2] = 0;
  bytes[3] = 0;
  bytes[4] = id & 0xff;
  bytes[5] = (id >>> 8) & 0xff;
  bytes[6] = (id >>> 16) & 0xff;
  bytes[7] = id >>> 24;
}

/** The header of a message, from anybody; undefined if it has none. */
export function readHeader(bytes: Uint8Array): FrameHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const [kind = 0, detail = 0, zero, alsoZero, a = 0, b = 0, c = 0, d = 0] = bytes;
  const isKnown = kind >= REQUEST && kind <= CANCEL;
  const isDetailed = kind === FAILURE ? detail <= UNHANDLED : detail === 0;
  const hasTooMuch = kind === CANCEL && bytes.length > HEADER_BYTES;
  if (!isKnown || !isDetailed || zero !== 0 || alsoZero !== 0 || hasTooMuch) return undefined;
  return { kind: kind as FrameKind, detail, id: (a | (b << 8) | (c << 16) | (d << 24)) >>> 0 };
}
