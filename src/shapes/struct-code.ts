import { inspect } from 'node:util';
import type { InspectOptions } from 'node:util';

import type { FieldPath } from './field-path.js';
import type { FieldShape } from './field-shape.js';

export interface LaidOutField {
  readonly name: string;
  readonly byteOffset: number;
  readonly shape: FieldShape;
}

/** A struct as its code sees it. */
export interface StructLayout {
  readonly fields: readonly LaidOutField[];
  /**
   * Refuses own properties of a value that no field is for: what is left out would be lost.
   * @throws ERR_INVALID_ARG
   */
  checkKeys(keys: readonly string[], path: FieldPath): void;
}

/** A record of some struct, over memory: an accessor for each field. */
export interface RecordClass {
  new (view: DataView): object;
}

/** What is made of a struct's fields, once, when it is first needed. */
export interface StructCode {
  readonly read: (view: DataView, at: number) => object;
  /** @throws ERR_INVALID_ARG, ERR_TOO_LARGE */
  readonly write: (view: DataView, at: number, value: object, path: FieldPath) => void;
  readonly Record: RecordClass;
}

/** Stores a value that is no scalar into shared memory: wholly, or if it is refused, not at all. */
export function assign(
  shape: FieldShape,
  view: DataView,
  at: number,
  value: unknown,
  path: FieldPath,
): void {
  const whole = new Uint8Array(shape.byteLength);
  shape.write(new DataView(whole.buffer), 0, value, path);
  new Uint8Array(view.buffer, view.byteOffset + at, whole.length).set(whole);
}

/** How a record is printed: as the values of its fields. */
export function shownRecord(copy: object, depth: number, options: InspectOptions): string {
  return depth < 0 ? '[Record]' : `Record ${inspect(copy, { ...options, depth })}`;
}
