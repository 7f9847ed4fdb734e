import { inspect } from 'node:util';
import type { InspectOptions } from 'node:util';

import { fieldAt } from './field-path.js';
import type { FieldPath } from './field-path.js';
import { assign, shownRecord } from './struct-code.js';
import type { StructCode, StructLayout } from './struct-code.js';

/** What `compileStruct` makes, without compiling anything. */
export function interpretStruct(struct: StructLayout): StructCode {
  const { fields } = struct;

  function read(view: DataView, at: number): object {
    const object: Record<string, unknown> = {};
    for (const { name, byteOffset, shape } of fields) {
      object[name] = shape.read(view, at + byteOffset);
    }
    return object;
  }

  function write(view: DataView, at: number, object: object, path: FieldPath): void {
    struct.checkKeys(Object.keys(object), path);
    const values = object as Readonly<Record<string, unknown>>;
    for (const { name, byteOffset, shape } of fields) {
      shape.write(view, at + byteOffset, values[name], `${path}.${name}`);
    }
  }

  class StructRecord {
    readonly #view: DataView;
    readonly #lives: unknown[] = [];

    constructor(view: DataView) {
      this.#view = view;
      Object.preventExtensions(this);
    }

    static {
      for (const [i, { name, byteOffset, shape }] of fields.entries()) {
        Object.defineProperty(this.prototype, name, {
          get(this: StructRecord): unknown {
            if (!shape.isLive) return shape.read(this.#view, byteOffset);
            return (this.#lives[i] ??= shape.live(this.#view, byteOffset));
          },
          set(this: StructRecord, value: unknown): void {
            if (shape.scalar === undefined)
              assign(shape, this.#view, byteOffset, value, `.${name}`);
            else shape.scalar.write(this.#view, byteOffset, value, fieldAt(`.${name}`));
          },
        });
      }
      Object.freeze(this.prototype);
    }

    toJSON(): object {
      return read(this.#view, 0);
    }

    [inspect.custom](depth: number, options: InspectOptions): string {
      return shownRecord(read(this.#view, 0), depth, options);
    }
  }

  return { read, write, Record: StructRecord };
}
