import { types } from 'node:util';

import { isDetached } from '../detached.js';
import { BufferPart } from './buffer-parts.js';
import { ByteWriter } from './byte-writer.js';
import { Encountered } from './encountered.js';
import * as format from './format.js';
import * as intrinsics from './intrinsics.js';
import { becomesPlain, builtInKind, kindOf } from './kinds.js';
import { Refusal, refusedAt, stepTo } from './refusal.js';
import { hasKeys, SentShape, SentShapes, TOO_MANY } from './sent-shapes.js';
import { packed } from './travel.js';
import { placeOfView, VIEW_KINDS } from './views.js';

type Properties = Record<string, unknown>;

/**
 * Up to this size a copy into the outbox is cheaper than handing an array to native code, at about 20 ns; and
 * what waits, or is put in a batch, is copied faster from there.
 */
const OUTBOX_BYTES = 1024;
const UINT32_MAX = 2 ** 32 - 1;
/** Key blocks are named by 16 bits; one after these is written again where it is needed again. */
const PLACES = 2 ** 16;
const INT64_BITS = 64;
/**
 * What is encoded can be decoded: both go into each other once a level, and the decoder's stack may be the
 * shorter one. With V8's own of about 1 MB, 1,600 levels are the least that it was seen to take.
 */
const DEPTH = 1000;
/** Which part of a buffer travels: size from, uint length. */
const PART_BYTES = 12;
/** Where the value of a message stands. */
const VALUE_AT = 1;
/** Where in an OBJECT its key block stands. */
const BLOCK_AT = 6;

const DIGIT_0 = 0x30;

const isOwn = Object.prototype.hasOwnProperty;
const ERROR_PLACES: ReadonlyMap<string, number> = new Map(
  format.ERRORS.map((name, place) => [name, place]),
);

/** Shared by all encoders of the thread. */
const shapes = new SentShapes();
let messages = 0;

/** Whether the keys, which are in the order of the language, are the indices below `length` and nothing else. */
function areIndices(keys: readonly string[], length: number): boolean {
  if (keys.length !== length) return false;
  if (length === 0) return true;
  const last = keys[length - 1] as string;
  // String() would cost 10 ns.
  if (length <= 10) return last.length === 1 && last.charCodeAt(0) === DIGIT_0 + length - 1;
  return last === String(length - 1);
}

function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return index !== UINT32_MAX && String(index) === key;
}

/** Whether a view is a Uint8Array that shows all of an ordinary buffer: as a message of its own it is only its bytes. */
function isAlone(view: ArrayBufferView): view is Uint8Array {
  if (intrinsics.typedArrayName(view) !== 'Uint8Array' || Buffer.isBuffer(view)) return false;
  // One of a class of its own may travel in a way of its own.
  if (Object.getPrototypeOf(view) !== Uint8Array.prototype) return false;
  const buffer = intrinsics.typedArrayAccess.buffer(view);
  if (!types.isArrayBuffer(buffer) || intrinsics.arrayBuffer.isResizable(buffer)) return false;
  const length = intrinsics.typedArrayAccess.byteLength(view);
  return length > 0 && length === intrinsics.arrayBuffer.byteLength(buffer);
}

/** Whether a view of a resizable buffer grows and shrinks with it, which nothing tells: a clone of it is tried. */
function followsBuffer(
  view: ArrayBufferView,
  access: intrinsics.ViewAccess,
  elementBytes: number,
): boolean {
  const probe = structuredClone(view);
  const buffer = access.buffer(probe) as ArrayBuffer & { resize(byteLength: number): void };
  const { byteLength } = buffer;
  const shown = access.byteLength(probe);
  if (byteLength + elementBytes <= intrinsics.arrayBuffer.maxByteLength(buffer)) {
    buffer.resize(byteLength + elementBytes);
    return access.byteLength(probe) > shown;
  }
  if (shown <= elementBytes || access.byteOffset(probe) + shown < byteLength) return false;
  buffer.resize(byteLength - elementBytes);
  try {
    return access.byteLength(probe) === shown - elementBytes;
  } catch {
    // A DataView that ends beyond its buffer.
    return false;
  }
}

/**
 * Writes one message at a time, into memory of its own. Getters and travels run while it does; what they put
 * into queues needs another encoder.
 */
export class Encoder {
  readonly #out = new ByteWriter();
  readonly #met = new Encountered();
  /** Of the object met last. */
  #latest = new SentShape([]);
  /**
   * Of the last message whose value was an OBJECT: as long as there is the tag of one in #out, its key block is there too. Any
   * other value has its own tag there.
   */
  #standing: SentShape | undefined;
  #parts: BufferPart[] = [];
  #isRegular = true;
  #message = 0;
  /** Key blocks written. */
  #blocks = 0;
  #reserved = 0;
  #depth = 0;

  /**
   * The message, in the outbox (its length) or in memory that is valid until the next one.
   * @throws Refusal, and what a getter throws where no container notes the way to it
   */
  encode(value: unknown, outbox: Uint8Array): number | Uint8Array {
    const out = this.#out;
    out.reset();
    this.#isRegular = true;
    this.#message = ++messages;
    this.#blocks = 0;
    this.#depth = 0;
    try {
      out.uint8(format.VERSION);
      if (ArrayBuffer.isView(value) && isAlone(value)) {
        out.uint8(format.BYTES);
        out.copy(value);
      } else {
        this.#value(value);
      }
      if (this.#parts.length > 0) this.#writeParts();
      const texts = out.gathered() ? format.TEXTS : 0;
      out.bytes[0] = format.VERSION | texts | (this.#isRegular ? 0 : format.IRREGULAR);
      if (out.at > OUTBOX_BYTES || out.at > outbox.length) return out.handOver();
      out.copyTo(outbox);
      return out.at;
    } finally {
      out.clear();
      this.#met.clear();
      if (this.#parts.length > 0) this.#parts = [];
      this.#reserved = 0;
    }
  }

  // A chain, not a switch: V8 compiles these comparisons to looks at the map, a switch to a call.
  #value(value: unknown): void {
    if (typeof value === 'string') this.#out.text(value);
    else if (typeof value === 'number') this.#out.number(value);
    else if (typeof value === 'object') {
      this.objectOrNull(value);
    } else if (value === undefined) this.#tag(format.UNDEFINED);
    else if (typeof value === 'boolean') this.#out.boolean(value);
    else if (typeof value === 'bigint') this.#bigint(value);
    else throw new Refusal(value, `${typeof value}s mean nothing to another process`);
  }

  #tag(tag: number): void {
    this.#out.reserve(1);
    this.#out.uint8(tag);
  }

  #bigint(value: bigint): void {
    const out = this.#out;
    out.reserve(9);
    if (BigInt.asIntN(INT64_BITS, value) === value) {
      out.uint8(format.BIGINT);
      out.bigint64(value);
      return;
    }
    out.uint8(format.LARGE_BIGINT);
    out.uint8(value < 0n ? 1 : 0);
    out.text((value < 0n ? -value : value).toString(16));
  }

  #object(object: object): void {
    const id = this.#met.meet(object);
    if (id >= 0) {
      this.#reference(id);
      // A buffer that was met as that of a view travels whole all the same.
      const part = this.#partOf(object);
      part?.show(0, part.byteLength);
      return;
    }
    // Before anything that a proxy would tell somebody.
    if (types.isProxy(object)) throw new Refusal(object, 'proxies are not cloned');
    if (++this.#depth > DEPTH) {
      throw new Refusal(object, `objects are nested more than ${DEPTH} deep`);
    }
    const prototype = Object.getPrototypeOf(object) as object | null;
    if (prototype === Object.prototype) this.#plain(object as Properties);
    else if (Array.isArray(object)) this.#array(object, prototype);
    else this.#other(object, prototype);
    this.#depth--;
  }

  #reference(id: number): void {
    const out = this.#out;
    out.reserve(5);
    out.uint8(format.REF);
    out.uint32(id);
    this.#isRegular = false;
  }

  // Twice over the keys: they come before the values, and the second time V8 knows where each value is.
  #plain(object: Properties): void {
    const shape = this.#shapeOf(object);
    if (shape === undefined) {
      this.#properties(object, Object.keys(object));
      return;
    }
    // What is no plain object, for all its prototype, has no properties or indices first: arguments, a Map.
    if (shape.mayBeOther && this.#isOther(object)) return;
    if (!this.#shape(shape)) {
      this.#properties(object, shape.keys);
      return;
    }
    const { writer } = shape;
    if (writer !== undefined) {
      writer(this, this.#out, object);
      return;
    }
    shape.count(object);
    this.#values(object, shape);
  }

  /** The values of an object for whose shape there is no code. */
  #values(object: Properties, { keys, areOrdinary }: SentShape): void {
    let i = 0;
    try {
      if (areOrdinary) {
        for (const key in object) {
          if (key === keys[i]) {
            this.#value(object[key]);
            i++;
          } else if (isOwn.call(object, key)) {
            // A getter has changed the object.
            break;
          }
        }
      }
      for (; i < keys.length; i++) this.#property(object, keys[i] as string);
    } catch (thrown) {
      throw refusedAt(stepTo(keys[i] as string), thrown);
    }
  }

  /** The shape of a plain object; undefined if it has too many keys. */
  #shapeOf(object: Properties): SentShape | undefined {
    const latest = this.#latest;
    const { follower } = latest;
    if (follower !== undefined && hasKeys(object, follower.keys)) {
      if (follower !== latest) this.#latest = follower;
      return follower;
    }
    const shape = shapes.of(object);
    if (shape !== undefined) {
      latest.follower = shape;
      this.#latest = shape;
    }
    return shape;
  }

  /** Writes the start of an object; false if its keys make no block. */
  #shape(shape: SentShape): boolean {
    const { words } = shape;
    if (words === undefined) return false;
    const out = this.#out;
    if (shape.message === this.#message) {
      out.reserve(3);
      out.uint8(format.OBJECT_AGAIN);
      out.uint16(shape.place);
      return true;
    }
    this.#block(shape, words);
    if (this.#blocks < PLACES) {
      shape.message = this.#message;
      shape.place = this.#blocks++;
    }
    return true;
  }

  #block(shape: SentShape, words: Int32Array): void {
    const out = this.#out;
    const { length } = words;
    const { at } = out;
    // The values of a queue are mostly alike: what the message begins with still stands there from the one before.
    if (at === VALUE_AT && shape === this.#standing && out.bytes[at] === format.OBJECT) {
      out.at += BLOCK_AT + 4 * length;
      return;
    }
    if (at === VALUE_AT) this.#standing = shape;
    out.reserve(BLOCK_AT + 4 * length);
    out.uint8(format.OBJECT);
    out.uint8(length);
    out.uint32(shape.hash);
    for (let i = 0; i < length; i++) out.int32(words[i] as number);
  }

  /** A property that may have gone since the keys were listed. */
  #property(object: Properties, key: string): void {
    if (isOwn.call(object, key)) this.#value(object[key]);
    else this.#absent();
  }

  // What a ShapeWriter asks for.

  objectOrNull(value: object | null): void {
    if (value === null) this.#tag(format.NULL);
    else this.#object(value);
  }

  member(object: object, key: string, value: unknown): void {
    // Read once, as structured clone does. Undefined is there or has gone; what a getter gives that removes itself has gone.
    if (value === undefined && !isOwn.call(object, key)) this.#absent();
    else this.#value(value);
  }

  refusedAt(key: string, thrown: unknown): unknown {
    return refusedAt(stepTo(key), thrown);
  }

  #absent(): void {
    this.#tag(format.ABSENT);
    this.#isRegular = false;
  }

  /** An object whose keys go one by one. */
  #properties(object: Properties, keys: readonly string[]): void {
    this.#tag(format.OBJECT_OF_PAIRS);
    this.#pairs(object, keys);
  }

  #pairs(object: Properties, keys: readonly string[]): void {
    this.#count(keys.length);
    for (const key of keys) {
      this.#out.text(key);
      try {
        this.#property(object, key);
      } catch (thrown) {
        throw refusedAt(stepTo(key), thrown);
      }
    }
  }

  #count(count: number): void {
    this.#out.reserve(4);
    this.#out.uint32(count);
  }

  #array(array: unknown[], prototype: object | null): void {
    if (prototype !== Array.prototype && this.#travels(array)) return;
    const { length } = array;
    // There is no cheaper way to see holes, indices that are not enumerable and other properties: 100 ns.
    const keys = Object.keys(array);
    if (!areIndices(keys, length)) {
      this.#looseArray(array, keys);
      return;
    }
    const out = this.#out;
    out.reserve(5);
    out.uint8(format.ARRAY);
    out.uint32(length);
    let i = 0;
    try {
      for (; i < length; i++) {
        const value = array[i];
        if (typeof value === 'number') out.number(value);
        else if (typeof value === 'string') out.text(value);
        else if (value === undefined) this.#element(array, i);
        else this.#value(value);
      }
    } catch (thrown) {
      throw refusedAt(stepTo(i), thrown);
    }
  }

  /** Undefined, or nothing. */
  #element(array: unknown[], index: number): void {
    this.#tag(isOwn.call(array, index) ? format.UNDEFINED : format.HOLE);
  }

  /** An array with holes or other properties. */
  #looseArray(array: unknown[], keys: readonly string[]): void {
    const { length } = array;
    let indexed = keys.length;
    while (indexed > 0 && !isIndex(keys[indexed - 1] as string)) indexed--;
    const others = keys.slice(indexed);
    if (length > format.SPARSE_LENGTH && indexed < length / 2) {
      this.#tag(format.SPARSE_ARRAY);
      this.#count(length);
      this.#count(indexed);
      for (let i = 0; i < indexed; i++) {
        const key = keys[i] as string;
        this.#count(Number(key));
        try {
          this.#property(array as unknown as Properties, key);
        } catch (thrown) {
          throw refusedAt(`[${key}]`, thrown);
        }
      }
      this.#pairs(array as unknown as Properties, others);
      return;
    }
    this.#tag(others.length > 0 ? format.ARRAY_AND_PAIRS : format.ARRAY);
    this.#count(length);
    let next = 0;
    for (let i = 0; i < length; i++) {
      if (next === indexed || Number(keys[next]) !== i || !isOwn.call(array, i)) {
        if (next < indexed && Number(keys[next]) === i) next++;
        this.#tag(format.HOLE);
        continue;
      }
      next++;
      try {
        this.#value(array[i]);
      } catch (thrown) {
        throw refusedAt(stepTo(i), thrown);
      }
    }
    if (others.length > 0) this.#pairs(array as unknown as Properties, others);
  }

  /** Writes what has the prototype of a plain object and is none; false if it is one. */
  #isOther(object: object): boolean {
    const kind = kindOf(object);
    if (kind === 'ordinary') return false;
    this.#special(object, kind);
    return true;
  }

  #other(object: object, prototype: object | null): void {
    const kind = builtInKind(object, prototype);
    if (kind !== undefined) {
      this.#special(object, kind);
      return;
    }
    if (this.#travels(object)) return;
    this.#special(object, kindOf(object));
  }

  /** Writes an object that travels in a way of its own; false if it does not. */
  #travels(object: object): boolean {
    const traveller = packed(object);
    if (traveller === undefined) return false;
    this.#tag(format.TRAVELLER);
    this.#out.text(traveller.name);
    this.#bytes(traveller.bytes);
    return true;
  }

  #bytes(bytes: Uint8Array): void {
    this.#count(this.#uint32(bytes.length));
    this.#out.copy(bytes);
  }

  #uint32(length: number): number {
    if (length > UINT32_MAX) throw new Refusal(length, 'more bytes than a message can have');
    return length;
  }

  #special(object: object, kind: ReturnType<typeof kindOf>): void {
    switch (kind) {
      case 'ordinary':
        this.#instance(object as Properties);
        return;
      case 'view':
        this.#view(object as ArrayBufferView);
        return;
      case 'Map':
        this.#map(intrinsics.entriesOf(object as Map<unknown, unknown>));
        return;
      case 'Set':
        this.#set(intrinsics.membersOf(object as Set<unknown>));
        return;
      case 'Date':
        this.#out.reserve(9);
        this.#out.uint8(format.DATE);
        this.#out.float64(intrinsics.timeOf(object as Date));
        return;
      case 'RegExp':
        this.#tag(format.REGEXP);
        this.#out.text(intrinsics.sourceOf(object as RegExp));
        this.#out.text(intrinsics.flagsOf(object as RegExp));
        return;
      case 'Error':
        this.#error(object as Error);
        return;
      case 'ArrayBuffer':
        this.#arrayBuffer(object as ArrayBuffer);
        return;
      case 'refused':
        throw new Refusal(object, 'it means nothing to another process');
      default:
        this.#tag(format.BOXED);
        this.#value(intrinsics.unboxed(object, kind));
    }
  }

  /** An instance of a class, or an object without a prototype. */
  #instance(object: Properties): void {
    const keys = Object.keys(object);
    if (keys.length === 0 && !becomesPlain(object)) {
      throw new Refusal(object, 'it means nothing to another process');
    }
    let step = shapes.root;
    for (const key of keys) step = shapes.step(step, key);
    if (step === TOO_MANY || !this.#shape(step.shape ?? step.learn(keys))) {
      this.#properties(object, keys);
      return;
    }
    for (const key of keys) {
      try {
        this.#property(object, key);
      } catch (thrown) {
        throw refusedAt(stepTo(key), thrown);
      }
    }
  }

  #map(entries: readonly unknown[]): void {
    this.#tag(format.MAP);
    this.#count(entries.length / 2);
    for (let i = 0; i < entries.length; i++) {
      try {
        this.#value(entries[i]);
      } catch (thrown) {
        throw refusedAt(`.${i % 2 === 0 ? 'keys' : 'values'}()[${i >> 1}]`, thrown);
      }
    }
  }

  #set(members: readonly unknown[]): void {
    this.#tag(format.SET);
    this.#count(members.length);
    for (let i = 0; i < members.length; i++) {
      try {
        this.#value(members[i]);
      } catch (thrown) {
        throw refusedAt(`.values()[${i}]`, thrown);
      }
    }
  }

  // Which properties count, and how they are read, is as in V8's serializer.
  #error(error: Error): void {
    const message = Object.getOwnPropertyDescriptor(error, 'message');
    const cause = Object.getOwnPropertyDescriptor(error, 'cause');
    const name = `${error.name}`;
    this.#tag(format.ERROR);
    this.#tag(ERROR_PLACES.get(name) ?? 0);
    if (message !== undefined && 'value' in message) this.#out.text(`${message.value}`);
    else this.#tag(format.ABSENT);
    const stack: unknown = error.stack;
    if (typeof stack === 'string') this.#out.text(stack);
    else this.#tag(format.ABSENT);
    if (cause === undefined || !('value' in cause)) {
      this.#tag(format.ABSENT);
      return;
    }
    try {
      this.#value(cause.value);
    } catch (thrown) {
      throw refusedAt('.cause', thrown);
    }
  }

  #view(view: ArrayBufferView): void {
    const name = intrinsics.typedArrayName(view);
    const access = name === undefined ? intrinsics.dataViewAccess : intrinsics.typedArrayAccess;
    const buffer = access.buffer(view);
    if (!types.isArrayBuffer(buffer)) {
      throw new Refusal(view, 'memory shared by threads is not shared with other processes');
    }
    const byteOffset = access.byteOffset(view);
    const byteLength = access.byteLength(view);
    if (byteLength === 0 && isDetached(buffer)) {
      throw new Refusal(view, 'its buffer was transferred away');
    }
    if (Buffer.isBuffer(view)) {
      this.#tag(format.NODE_BUFFER);
      this.#bytes(new Uint8Array(buffer, byteOffset, byteLength));
      return;
    }
    const place = placeOfView(name ?? 'DataView');
    if (place === undefined) throw new Refusal(view, `${name}s are not known`);
    const elementBytes = VIEW_KINDS[place]?.elementBytes ?? 1;
    const follows =
      intrinsics.arrayBuffer.isResizable(buffer) && followsBuffer(view, access, elementBytes);
    const out = this.#out;
    out.reserve(15);
    out.uint8(format.VIEW);
    out.uint8(place);
    out.uint8(follows ? 1 : 0);
    out.float64(byteOffset);
    out.uint32(this.#uint32(byteLength));
    this.#part(buffer).show(byteOffset, byteOffset + byteLength);
  }

  #arrayBuffer(buffer: ArrayBuffer): void {
    const byteLength = intrinsics.arrayBuffer.byteLength(buffer);
    if (byteLength === 0 && isDetached(buffer)) {
      throw new Refusal(buffer, 'it was transferred away');
    }
    this.#newPart(buffer).show(0, byteLength);
  }

  /** The part of the buffer of a view, after naming the buffer in the message. */
  #part(buffer: ArrayBuffer): BufferPart {
    const id = this.#met.meet(buffer);
    if (id < 0) return this.#newPart(buffer);
    this.#reference(id);
    return this.#partOf(buffer) as BufferPart;
  }

  #partOf(object: object): BufferPart | undefined {
    return this.#parts.find((part) => part.buffer === object);
  }

  #newPart(buffer: ArrayBuffer): BufferPart {
    const out = this.#out;
    const isResizable = intrinsics.arrayBuffer.isResizable(buffer);
    const byteLength = intrinsics.arrayBuffer.byteLength(buffer);
    out.reserve(2 + PART_BYTES);
    out.uint8(format.ARRAY_BUFFER);
    out.uint8(isResizable ? 1 : 0);
    const part = new BufferPart(buffer, byteLength, out.at);
    this.#parts.push(part);
    out.at += PART_BYTES;
    if (isResizable) {
      const maximum = intrinsics.arrayBuffer.maxByteLength(buffer);
      this.#reserved += maximum;
      if (this.#reserved > format.RESERVED_BYTES) {
        throw new Refusal(buffer, 'resizable buffers of a message may reserve 4 GiB');
      }
      out.reserve(8);
      out.float64(maximum);
      part.show(0, byteLength);
    }
    return part;
  }

  /** Says of each buffer which part travels, and writes it. */
  #writeParts(): void {
    const out = this.#out;
    for (const { buffer, headerAt, shown } of this.#parts) {
      out.view.setFloat64(headerAt, shown.from, true);
      out.view.setUint32(headerAt + 8, this.#uint32(shown.length), true);
      out.copy(new Uint8Array(buffer, shown.from, shown.length));
    }
  }
}
