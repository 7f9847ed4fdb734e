import { ByteReader, Malformed } from './byte-reader.js';
import * as format from './format.js';
import { ReceivedShapes, setOwn } from './received-shapes.js';
import type { ReceivedShape } from './received-shapes.js';
import { travelNamed } from './travel.js';
import { VIEW_KINDS } from './views.js';

interface ResizableConstructor {
  new (byteLength: number, options: { maxByteLength: number }): ArrayBuffer;
}

// For the tags of almost all values: V8 loads what is imported each time, and makes constants of these. 6 to 9 % of decoding.
const { UNDEFINED, NULL, FALSE, TRUE, SMALL_INTEGER, INTEGER, DOUBLE, BIGINT, LARGE_BIGINT } =
  format;
const { SHORT_TEXT, GATHERED_TEXT, LATIN1_TEXT, UTF16_TEXT } = format;
const { OBJECT, OBJECT_AGAIN, OBJECT_OF_PAIRS, ARRAY, HOLE } = format;

/** Shared by all decoders of the thread. */
const shapes = new ReceivedShapes();

function isBoxable(value: unknown): value is number | string | boolean | bigint {
  const type = typeof value;
  return type === 'number' || type === 'string' || type === 'boolean' || type === 'bigint';
}

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

/** Reads one message at a time; travels run while it does, and need another decoder for what they read. */
export class Decoder {
  readonly #in = new ByteReader();
  /** By their numbers; in messages that refer to some only. */
  #objects: Array<object | undefined> = [];
  #numbers = false;
  #shapes: ReceivedShape[] = [];
  /** Buffers and how much of each comes at the end of the message. */
  #parts: Array<{ readonly buffer: ArrayBuffer; readonly from: number; readonly length: number }> =
    [];
  #partBytes = 0;
  #reserved = 0;

  /** Lets go of the memory of the message decoded last. */
  forget(): void {
    this.#in.forget();
  }

  /** @throws anything, for bytes that no encoder wrote */
  decode(inbox: Uint8Array, offset: number, length: number): unknown {
    const input = this.#in;
    input.start(inbox, offset, length);
    try {
      const head = input.uint8();
      if ((head & ~(format.IRREGULAR | format.TEXTS)) !== format.VERSION) {
        throw new Malformed(`its format has the number ${head}, this one ${format.VERSION}`);
      }
      this.#numbers = (head & format.IRREGULAR) !== 0;
      if ((head & format.TEXTS) !== 0) input.openTexts();
      if (input.left > 0 && input.peek() === format.BYTES) {
        input.uint8();
        return this.#bytes(input.left);
      }
      const value = this.value();
      if (this.#parts.length > 0) this.#readParts();
      if (input.left > 0) throw new Malformed(`${input.left} bytes follow its value`);
      if (input.hasTexts) throw new Malformed('it has more texts than places for them');
      return value;
    } finally {
      input.finish();
      if (this.#numbers) this.#objects = [];
      if (this.#shapes.length > 0) this.#shapes = [];
      if (this.#parts.length > 0) this.#parts = [];
      this.#partBytes = 0;
      this.#reserved = 0;
    }
  }

  /** The next value. */
  value(): unknown {
    const input = this.#in;
    const tag = input.uint8();
    if (tag >= SMALL_INTEGER) return tag - SMALL_INTEGER;
    if (tag >= SHORT_TEXT) return input.latin1(tag - SHORT_TEXT);
    switch (tag) {
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case INTEGER:
        return input.int32();
      case DOUBLE:
        return input.float64();
      case BIGINT:
        return input.bigint64();
      case LARGE_BIGINT:
        return this.#largeBigint();
      case LATIN1_TEXT:
        return input.latin1(input.uint32());
      case GATHERED_TEXT:
        return input.gathered(input.uint8());
      case UTF16_TEXT:
        return input.utf16(input.uint32());
      case OBJECT: {
        const shape = shapes.read(input);
        this.#shapes.push(shape);
        return this.#object(shape);
      }
      case OBJECT_AGAIN:
        return this.#object(this.#shapes[input.uint16()]);
      case OBJECT_OF_PAIRS:
        return this.#pairs(this.#number({}));
      case ARRAY:
        return this.#array();
      default:
        return this.#other(tag);
    }
  }

  /** What is rarer. */
  #other(tag: number): unknown {
    const input = this.#in;
    switch (tag) {
      case format.ARRAY_AND_PAIRS:
        return this.#pairs(this.#array());
      case format.SPARSE_ARRAY:
        return this.#sparseArray();
      case format.REF:
        return this.#reference();
      case format.DATE:
        return this.#number(new Date(input.float64()));
      case format.REGEXP: {
        const source = this.#text();
        return this.#number(new RegExp(source, this.#text()));
      }
      case format.MAP:
        return this.#map();
      case format.SET:
        return this.#set();
      case format.BOXED: {
        const value = this.value();
        if (!isBoxable(value)) throw new Malformed('it boxes what is no primitive');
        return this.#number(Object(value) as object);
      }
      case format.ERROR:
        return this.#error();
      case format.ARRAY_BUFFER:
        return this.#arrayBuffer().buffer;
      case format.VIEW:
        return this.#view();
      case format.NODE_BUFFER:
        return this.#number(Buffer.from(input.part(input.uint32())));
      case format.TRAVELLER:
        return this.#traveller();
      default:
        throw new Malformed(`it has the unknown tag ${tag}`);
    }
  }

  #number<T extends object>(object: T): T {
    if (this.#numbers) this.#objects.push(object);
    return object;
  }

  #reference(): object {
    const id = this.#in.uint32();
    const object = this.#objects[id];
    if (object === undefined) throw new Malformed(`it refers to an object ${id} it does not have`);
    return object;
  }

  #text(): string {
    const text = this.value();
    if (typeof text !== 'string')
      throw new Malformed('it has another value where a text should be');
    return text;
  }

  /** Passes over `tag` if it is the next byte. */
  #passes(tag: number): boolean {
    if (this.#in.peek() !== tag) return false;
    this.#in.at++;
    return true;
  }

  #bytes(length: number): Uint8Array {
    const bytes = this.#in.part(length);
    const copy = new Uint8Array(length);
    copy.set(bytes);
    return copy;
  }

  #largeBigint(): bigint {
    const isNegative = this.#in.uint8() !== 0;
    const magnitude = BigInt(`0x${this.#text()}`);
    return isNegative ? -magnitude : magnitude;
  }

  #object(shape: ReceivedShape | undefined): object {
    if (shape === undefined) throw new Malformed('it refers to keys it does not have');
    if (!this.#numbers) return shape.make(this);
    const object = this.#number({});
    for (const key of shape.keys) {
      if (!this.#passes(format.ABSENT)) setOwn(object, key, this.value());
    }
    return object;
  }

  #pairs(object: object): object {
    for (let left = this.#in.count(2); left > 0; left--) {
      const key = this.#text();
      if (!this.#passes(format.ABSENT)) setOwn(object, key, this.value());
    }
    return object;
  }

  #array(): unknown[] {
    const input = this.#in;
    const count = input.count(1);
    const array: unknown[] = this.#number([]);
    for (let i = 0; i < count; i++) {
      const tag = input.peek();
      if (tag >= SMALL_INTEGER) {
        input.at++;
        array.push(tag - SMALL_INTEGER);
      } else if (tag === HOLE) {
        input.at++;
        array.length = i + 1;
      } else {
        array.push(this.value());
      }
    }
    return array;
  }

  #sparseArray(): unknown[] {
    const length = this.#in.uint32();
    const array: unknown[] = this.#number([]);
    const count = this.#in.count(5);
    if (length <= format.SPARSE_LENGTH || count >= length / 2) {
      throw new Malformed(`an array of ${length} is not sparse with ${count} elements`);
    }
    // An element so far from the others turns the array into a dictionary; setting the length first would
    // reserve memory for all of it.
    array[length - 1] = undefined;
    delete array[length - 1];
    for (let left = count; left > 0; left--) {
      const index = this.#in.uint32();
      if (index >= length) throw new Malformed(`an array of ${length} has no element ${index}`);
      if (!this.#passes(format.ABSENT)) array[index] = this.value();
    }
    this.#pairs(array);
    return array;
  }

  #map(): Map<unknown, unknown> {
    const map = this.#number(new Map<unknown, unknown>());
    for (let left = this.#in.count(2); left > 0; left--) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  #set(): Set<unknown> {
    const set = this.#number(new Set());
    for (let left = this.#in.count(1); left > 0; left--) set.add(this.value());
    return set;
  }

  #error(): Error {
    const name = format.ERRORS[this.#in.uint8()];
    if (name === undefined) throw new Malformed('it has an error of an unknown kind');
    const error = this.#number(new globalThis[name]());
    const message = this.#passes(format.ABSENT) ? undefined : this.#text();
    // Assigned where it is, because it is an accessor in some Nodes; with Error.stackTraceLimit deleted it is not.
    if (!Object.hasOwn(error, 'stack')) define(error, 'stack', undefined);
    Reflect.set(error, 'stack', this.#passes(format.ABSENT) ? undefined : this.#text());
    if (message !== undefined) define(error, 'message', message);
    if (!this.#passes(format.ABSENT)) define(error, 'cause', this.value());
    return error;
  }

  #arrayBuffer(): { readonly buffer: ArrayBuffer; readonly from: number } {
    const input = this.#in;
    const isResizable = input.uint8() !== 0;
    const from = input.float64();
    const length = input.uint32();
    const maxByteLength = isResizable ? input.float64() : length;
    // What is promised more than once must be there more than once.
    this.#partBytes += length;
    if (this.#partBytes > input.left) throw new Malformed(`it has no ${length} bytes for a buffer`);
    if (isResizable) this.#reserved += maxByteLength;
    if (!(this.#reserved <= format.RESERVED_BYTES)) {
      throw new Malformed(`it reserves ${maxByteLength} bytes for a buffer`);
    }
    const buffer = isResizable
      ? new (ArrayBuffer as unknown as ResizableConstructor)(length, { maxByteLength })
      : new ArrayBuffer(length);
    const part = { buffer: this.#number(buffer), from, length };
    this.#parts.push(part);
    return part;
  }

  #readParts(): void {
    for (const { buffer, length } of this.#parts) {
      new Uint8Array(buffer).set(this.#in.part(length));
    }
  }

  #view(): ArrayBufferView {
    const input = this.#in;
    const kind = VIEW_KINDS[input.uint8()];
    if (kind?.constructor === undefined) {
      throw new Malformed(`Node ${process.version} has no ${kind?.name ?? 'such typed array'}`);
    }
    const follows = input.uint8() !== 0;
    const byteOffset = input.float64();
    const length = input.uint32() / kind.elementBytes;
    const place = this.#objects.length;
    if (this.#numbers) this.#objects.push(undefined);
    const { buffer, from } = this.#bufferOfView();
    const start = byteOffset - from;
    const view = follows
      ? new kind.constructor(buffer, start)
      : new kind.constructor(buffer, start, length);
    if (this.#numbers) this.#objects[place] = view;
    return view;
  }

  #bufferOfView(): { readonly buffer: ArrayBuffer; readonly from: number } {
    if (this.#passes(format.ARRAY_BUFFER)) return this.#arrayBuffer();
    if (this.#passes(format.REF)) {
      const buffer = this.#reference();
      const part = this.#parts.find((known) => known.buffer === buffer);
      if (part !== undefined) return part;
    }
    throw new Malformed('it has a view without a buffer');
  }

  #traveller(): object {
    const name = this.#text();
    const bytes = this.#bytes(this.#in.uint32());
    const travel = travelNamed(name);
    if (travel === undefined) {
      throw new Malformed(`it carries a '${name}', which this version does not know`);
    }
    const object: unknown = travel.unpack(bytes);
    if (typeof object !== 'object' || object === null) {
      throw new TypeError(`unpack of '${name}' returned no object`);
    }
    return this.#number(object);
  }
}
