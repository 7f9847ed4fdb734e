/** What the compiler makes of the definition of a struct. */

import type { ScalarArrayOf, ScalarTypeName, ScalarValueOf } from './scalar-types.js';
import type { StructType } from './struct.js';

/** What a field can be: a scalar type by name or letter, another struct, or `[type, length]`. */
export type FieldType =
  ScalarTypeName | StructType<unknown, unknown> | readonly [FieldType, number];

/** The fields of a struct, in their order. */
export type StructFields = Readonly<Record<string, FieldType>>;

type TextName = 'char' | 'c';

/** A field's value as a copy. */
type ValueOf<F> = F extends ScalarTypeName
  ? ScalarValueOf<F>
  : F extends StructType<infer Value, unknown>
    ? Value
    : F extends readonly [infer Item, number]
      ? Item extends TextName
        ? string
        : ValueOf<Item>[]
      : never;

/** A field as a record gives it. */
type LiveOf<F> = F extends ScalarTypeName
  ? ScalarValueOf<F>
  : F extends StructType<unknown, infer Live>
    ? Live
    : F extends readonly [infer Item, number]
      ? Item extends TextName
        ? string
        : Item extends ScalarTypeName
          ? ScalarArrayOf<Item>
          : readonly LiveOf<Item>[]
      : never;

/**
 * What is taken where a struct's value is written: its plain object, or anything with the same properties, such as a record;
 * for an array everything that has a length and elements.
 */
export type StructInput<Value> = Value extends boolean[]
  ? ArrayLike<boolean> | Uint8Array
  : Value extends readonly (infer Item)[]
    ? ArrayLike<StructInput<Item>>
    : Value extends bigint
      ? bigint | number
      : Value extends object
        ? { readonly [K in keyof Value]: StructInput<Value[K]> }
        : Value;

/** A plain object with a copy of every field. */
export type ValueOfFields<F> = { -readonly [K in keyof F]: ValueOf<F[K]> };

/** A record over memory. */
export type RecordOfFields<F> = { -readonly [K in keyof F]: LiveOf<F[K]> };

/** The plain object of a struct: `StructValue<typeof Point>`. */
export type StructValue<S> = S extends StructType<infer Value, unknown> ? Value : never;

/** The record of a struct: `StructRecord<typeof Point>`. */
export type StructRecord<S> = S extends StructType<unknown, infer Live> ? Live : never;
