import { InterprocError, invalidArgument, shown } from '../errors.js';
import { elementsOf } from './elements.js';
import { fieldAt, ItemPath } from './field-path.js';
import type { FieldPath } from './field-path.js';
import type { ElementArray, ScalarType } from './scalar-types.js';

/** A shape as it stands in a schema: a type's name, [shape, length], or the fields of a struct. */
export type SchemaNode = string | [SchemaNode, number] | { [field: string]: SchemaNode };

/**
 * What stands in a field: how many bytes, where they may begin, and what they are in JavaScript. Views are over
 * memory that begins where the layout does, so offsets are known when a struct is made.
 */
export interface FieldShape {
  readonly byteLength: number;
  readonly alignment: number;
  readonly schema: SchemaNode;
  /** Levels of structs and arrays in it: 0 of a scalar. */
  readonly depth: number;
  /** Of a scalar only. */
  readonly scalar?: ScalarType;

  /** A copy of what stands at `at`, aligned or not. */
  read(view: DataView, at: number): unknown;

  /**
   * Stores `value` at `at`, aligned or not; padding is left alone. May have written a part of it when it throws, and runs
   * code of the caller's (getters) meanwhile: it is for memory that nobody else sees.
   *
   * @param path names the field, for the message
   * @throws ERR_INVALID_ARG, ERR_TOO_LARGE
   */
  write(view: DataView, at: number, value: unknown, path: FieldPath): void;

  /** What a record gives for the field: over the memory itself, where that can be. `at` is aligned in the buffer. */
  live(view: DataView, at: number): unknown;
  /** Whether `live` gives something that stays valid while the memory does. */
  readonly isLive: boolean;
}

export class ScalarShape implements FieldShape {
  readonly byteLength: number;
  readonly alignment: number;
  readonly schema: SchemaNode;
  readonly depth = 0;
  readonly isLive = false;
  readonly scalar: ScalarType;

  constructor(scalar: ScalarType) {
    this.scalar = scalar;
    this.byteLength = scalar.byteLength;
    this.alignment = scalar.byteLength;
    this.schema = scalar.name;
  }

  read(view: DataView, at: number): unknown {
    return this.scalar.read(view, at);
  }

  write(view: DataView, at: number, value: unknown, path: FieldPath): void {
    this.scalar.write(view, at, value, fieldAt(path));
  }

  live(view: DataView, at: number): unknown {
    return this.scalar.read(view, at);
  }
}

/** Up to this length a loop over the characters is cheaper than a call out of JavaScript, as measured in codec/text.ts. */
const LOOP_CHARACTERS = 16;

/** `char[length]`: a string. It ends at the first NUL, or where the array does. */
export class TextShape implements FieldShape {
  readonly byteLength: number;
  readonly alignment = 1;
  readonly schema: SchemaNode;
  readonly depth = 1;
  readonly isLive = false;

  constructor(length: number) {
    this.byteLength = length;
    this.schema = ['char', length];
  }

  read(view: DataView, at: number): string {
    const { byteLength } = this;
    if (byteLength > LOOP_CHARACTERS) {
      // A copy: what others may be changing is not for a decoder in native code.
      const bytes = Buffer.from(new Uint8Array(view.buffer, view.byteOffset + at, byteLength));
      const end = bytes.indexOf(0);
      return bytes.toString('latin1', 0, end < 0 ? byteLength : end);
    }
    let text = '';
    for (let i = 0; i < byteLength; i++) {
      const code = view.getUint8(at + i);
      if (code === 0) break;
      text += String.fromCharCode(code);
    }
    return text;
  }

  write(view: DataView, at: number, value: unknown, path: FieldPath): void {
    const { byteLength } = this;
    if (typeof value !== 'string') {
      throw invalidArgument(`${fieldAt(path)} (char[${byteLength}])`, 'a string', value);
    }
    const { length } = value;
    if (length > byteLength) {
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `${fieldAt(path)} (char[${byteLength}]) holds ${byteLength} characters; ${shown(value)} has ${length}. Cut it, or make the array longer`,
      );
    }
    for (let i = 0; i < byteLength; i++) {
      const code = i < length ? value.charCodeAt(i) : 0;
      if (code > 0xff || (code === 0 && i < length)) {
        throw invalidArgument(
          `${fieldAt(path)} (char[${byteLength}])`,
          "characters from U+0001 to U+00FF, a byte each; for other text use ['uint8', n] and a TextEncoder",
          value,
        );
      }
      view.setUint8(at + i, code);
    }
  }

  live(view: DataView, at: number): string {
    return this.read(view, at);
  }
}

function checkLength(
  value: unknown,
  length: number,
  takes: string,
  path: FieldPath,
): ArrayLike<unknown> {
  // Functions and strings have a length as well, and are no arrays.
  if (typeof value !== 'object' || value === null || !('length' in value)) {
    throw invalidArgument(fieldAt(path), takes, value);
  }
  if (value.length !== length) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `${fieldAt(path)} takes ${takes}; received ${shown(value.length)} of them: ${shown(value)}`,
    );
  }
  return value as ArrayLike<unknown>;
}

/** `type[length]`, but for `char`: in a record a typed array over the memory, as a copy a plain array. */
export class ScalarArrayShape implements FieldShape {
  readonly byteLength: number;
  readonly alignment: number;
  readonly schema: SchemaNode;
  readonly depth = 1;
  readonly isLive = true;
  readonly #scalar: ScalarType;
  readonly #length: number;

  constructor(scalar: ScalarType, length: number) {
    this.#scalar = scalar;
    this.#length = length;
    this.byteLength = scalar.byteLength * length;
    this.alignment = scalar.byteLength;
    this.schema = [scalar.name, length];
  }

  read(view: DataView, at: number): unknown[] {
    return elementsOf(this.#scalar).read(view, at, this.#length);
  }

  write(view: DataView, at: number, value: unknown, path: FieldPath): void {
    const scalar = this.#scalar;
    const length = this.#length;
    const values = checkLength(value, length, `${length} of ${scalar.name}`, path);
    if (values instanceof scalar.TypedArray) this.#store(view, at, values);
    else elementsOf(scalar).write(view, at, length, values, path);
  }

  /** What another record gave, or was made to be stored: its elements are what they should be. */
  #store(view: DataView, at: number, elements: ElementArray): void {
    const target = new Uint8Array(view.buffer, view.byteOffset + at, this.byteLength);
    target.set(new Uint8Array(elements.buffer, elements.byteOffset, this.byteLength));
    if (this.#scalar.kind !== 'bool') return;
    for (let i = 0; i < target.length; i++) target[i] = target[i] === 0 ? 0 : 1;
  }

  live(view: DataView, at: number): ElementArray {
    return new this.#scalar.TypedArray(view.buffer, view.byteOffset + at, this.#length);
  }
}

/** An array of structs or of arrays: a frozen array of what they are. */
export class ArrayShape implements FieldShape {
  readonly byteLength: number;
  readonly alignment: number;
  readonly schema: SchemaNode;
  readonly depth: number;
  readonly isLive: boolean;
  readonly #item: FieldShape;
  readonly #length: number;

  constructor(item: FieldShape, length: number) {
    this.#item = item;
    this.#length = length;
    this.byteLength = item.byteLength * length;
    this.alignment = item.alignment;
    this.schema = [item.schema, length];
    this.depth = item.depth + 1;
    this.isLive = item.isLive;
  }

  read(view: DataView, at: number): unknown[] {
    const item = this.#item;
    const values: unknown[] = [];
    for (let i = 0; i < this.#length; i++) values.push(item.read(view, at + i * item.byteLength));
    return values;
  }

  write(view: DataView, at: number, value: unknown, path: FieldPath): void {
    const item = this.#item;
    const length = this.#length;
    const values = checkLength(value, length, `an array of ${length}`, path);
    const one = new ItemPath(path);
    for (let i = 0; i < length; i++) {
      one.index = i;
      item.write(view, at + i * item.byteLength, values[i], one);
    }
  }

  live(view: DataView, at: number): readonly unknown[] {
    const item = this.#item;
    const values: unknown[] = [];
    for (let i = 0; i < this.#length; i++) values.push(item.live(view, at + i * item.byteLength));
    return Object.freeze(values);
  }
}
