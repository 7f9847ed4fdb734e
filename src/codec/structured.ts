import { Deserializer, Serializer } from 'node:v8';

import { InterprocError, shown } from '../errors.js';
import type { Codec } from './codec.js';

type View = ArrayBufferView;
type Restore = (bytes: Uint8Array) => View;

function viewOf(constructor: new (buffer: ArrayBuffer) => View): Restore {
  return (bytes) => new constructor(copyOf(bytes));
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}

/**
 * Views travel as { kind, byte length, bytes }: their own bytes, not the whole buffer behind them (a small
 * Buffer stands in Node's pool of 8 KiB), and come back over memory of their own. The order is the wire
 * format: add at the end only.
 */
const KINDS: ReadonlyArray<readonly [name: string, restore: Restore | undefined]> = [
  ['Int8Array', viewOf(Int8Array)],
  ['Uint8Array', viewOf(Uint8Array)],
  ['Uint8ClampedArray', viewOf(Uint8ClampedArray)],
  ['Int16Array', viewOf(Int16Array)],
  ['Uint16Array', viewOf(Uint16Array)],
  ['Int32Array', viewOf(Int32Array)],
  ['Uint32Array', viewOf(Uint32Array)],
  ['Float32Array', viewOf(Float32Array)],
  ['Float64Array', viewOf(Float64Array)],
  ['BigInt64Array', viewOf(BigInt64Array)],
  ['BigUint64Array', viewOf(BigUint64Array)],
  ['DataView', viewOf(DataView)],
  ['Buffer', (bytes) => Buffer.from(bytes)],
  ['Float16Array', float16Array()],
];
const KIND_OF: ReadonlyMap<string, number> = new Map(KINDS.map(([name], kind) => [name, kind]));

/** Node has it from version 24 on. */
function float16Array(): Restore | undefined {
  const known = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => View }).Float16Array;
  return known && viewOf(known);
}

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const tagOf = Object.getOwnPropertyDescriptor(TypedArray, Symbol.toStringTag)?.get;

function kindOf(view: View): number | undefined {
  // By what it is, not by what it says: subclasses travel as what they extend.
  const tag = (tagOf?.call(view) as string | undefined) ?? 'DataView';
  return KIND_OF.get(Buffer.isBuffer(view) ? 'Buffer' : tag);
}

/** Node's hooks into V8's serializer, which its type definitions leave out. */
interface SerializerHooks {
  _setTreatArrayBufferViewsAsHostObjects(flag: boolean): void;
}

class StructuredSerializer extends Serializer {
  constructor() {
    super();
    (this as unknown as SerializerHooks)._setTreatArrayBufferViewsAsHostObjects(true);
  }

  /** Called by V8 for views, and for what only Node itself knows: ports, blobs, keys. */
  _writeHostObject(object: object): void {
    const kind = ArrayBuffer.isView(object) ? kindOf(object) : undefined;
    if (kind === undefined) {
      throw new TypeError(`${shown(object)} lives in this process only`);
    }
    const view = object as View;
    this.writeUint32(kind);
    this.writeUint32(view.byteLength);
    this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
}

class StructuredDeserializer extends Deserializer {
  /** Called by V8 where `_writeHostObject` was. */
  _readHostObject(): View {
    const kind = KINDS[this.readUint32()];
    const bytes = this.readRawBytes(this.readUint32());
    const restore = kind?.[1];
    if (restore === undefined) {
      throw new TypeError(`Node ${process.version} has no ${kind?.[0] ?? 'such typed array'}`);
    }
    return restore(bytes);
  }
}

/**
 * What the structured clone algorithm carries, by `node:v8`: cycles, Map, Set, Date, RegExp, BigInt, Error,
 * ArrayBuffer and its views, undefined, -0. Besides, a Buffer comes back as a Buffer. Functions, symbols,
 * proxies and SharedArrayBuffers are refused; class instances come back as plain objects.
 */
export const structuredCodec: Codec<unknown> = {
  name: 'structured',
  encodesAnew: true,

  encode(value) {
    try {
      const serializer = new StructuredSerializer();
      serializer.writeHeader();
      serializer.writeValue(value);
      return serializer.releaseBuffer();
    } catch (cause) {
      throw new InterprocError(
        'ERR_ENCODE',
        `Structured clone cannot carry ${shown(value)}: ${cause instanceof Error ? cause.message : shown(cause)}`,
        { cause },
      );
    }
  },

  // V8 reads the bytes in place: what it and the kinds above make of them is a copy.
  decode: (inbox, offset, length) => decode(inbox.subarray(offset, offset + length)),
  decodeOwn: decode,
};

function decode(bytes: Uint8Array): unknown {
  try {
    const deserializer = new StructuredDeserializer(bytes);
    deserializer.readHeader();
    return deserializer.readValue() as unknown;
  } catch (cause) {
    throw new InterprocError(
      'ERR_DECODE',
      `A message of ${bytes.length} bytes is no structured clone: ${cause instanceof Error ? cause.message : shown(cause)}`,
      { cause },
    );
  }
}
