import { InterprocError, invalidArgument, shown } from '../errors.js';
import { compileStruct } from './compile-struct.js';
import { fieldAt } from './field-path.js';
import type { FieldPath } from './field-path.js';
import type { FieldShape, SchemaNode } from './field-shape.js';
import type { LaidOutField, StructCode, StructLayout } from './struct-code.js';

/** The first byte after `at` where something of this alignment may stand. */
function alignedUp(at: number, alignment: number): number {
  return Math.ceil(at / alignment) * alignment;
}

/** The same memory twice. */
interface Scratch {
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

function scratchOf(byteLength: number): Scratch {
  const bytes = new Uint8Array(byteLength);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Above it the memory in which values are put together is not kept for the next one. */
const KEPT_BYTES = 1 << 20;

/**
 * A struct as C lays it out: fields in the order given, each at a multiple of its alignment, which is the size of its
 * largest scalar; the whole is padded to a multiple of its own.
 */
export class StructShape implements FieldShape, StructLayout {
  readonly byteLength: number;
  readonly alignment: number;
  readonly schema: SchemaNode;
  readonly depth: number;
  readonly isLive = true;
  readonly fields: readonly LaidOutField[];
  readonly #names: ReadonlySet<string>;
  #code: StructCode | undefined;
  /** Where values are put together; none while one is, since a getter of the caller's may need another. */
  #idle: Scratch | undefined;

  constructor(shapes: ReadonlyMap<string, FieldShape>) {
    const fields: LaidOutField[] = [];
    const schema: { [field: string]: SchemaNode } = {};
    let end = 0;
    let alignment = 1;
    let depth = 0;
    for (const [name, shape] of shapes) {
      const byteOffset = alignedUp(end, shape.alignment);
      fields.push({ name, byteOffset, shape });
      schema[name] = shape.schema;
      end = byteOffset + shape.byteLength;
      alignment = Math.max(alignment, shape.alignment);
      depth = Math.max(depth, shape.depth);
    }
    this.byteLength = alignedUp(end, alignment);
    this.alignment = alignment;
    this.depth = depth + 1;
    this.schema = schema;
    this.fields = fields;
    this.#names = new Set(shapes.keys());
  }

  #compiled(): StructCode {
    return (this.#code ??= compileStruct(this));
  }

  read(view: DataView, at: number): object {
    return (this.#code ?? this.#compiled()).read(view, at);
  }

  write(view: DataView, at: number, value: unknown, path: FieldPath): void {
    if (typeof value !== 'object' || value === null) {
      throw invalidArgument(fieldAt(path), `an object with ${this.#listed()}`, value);
    }
    (this.#code ?? this.#compiled()).write(view, at, value, path);
  }

  live(view: DataView, at: number): object {
    const { Record } = this.#code ?? this.#compiled();
    return new Record(new DataView(view.buffer, view.byteOffset + at, this.byteLength));
  }

  checkKeys(keys: readonly string[], path: FieldPath): void {
    for (const key of keys) {
      if (this.#names.has(key)) continue;
      throw new InterprocError(
        'ERR_INVALID_ARG',
        `The struct has no field ${shown(`${path}.${key}`.slice(1))}; it has ${this.#listed()}`,
      );
    }
  }

  #listed(): string {
    return [...this.#names].join(', ');
  }

  /**
   * The bytes of a value, padding zeroed; valid until the next call.
   * @throws ERR_INVALID_ARG, ERR_TOO_LARGE
   */
  pack(value: unknown): Uint8Array {
    const scratch = this.#idle ?? scratchOf(this.byteLength);
    this.#idle = undefined;
    try {
      this.write(scratch.view, 0, value, '');
      return scratch.bytes;
    } finally {
      if (this.byteLength <= KEPT_BYTES) this.#idle = scratch;
    }
  }
}
