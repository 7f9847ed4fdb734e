/** How compiled code reads and stores scalars: what `scalar-types.ts` does, as text. */

import { LITTLE_ENDIAN } from './scalar-types.js';
import type { ScalarKind, ScalarName, ScalarType } from './scalar-types.js';

/** The calls of a DataView that read and write each type. */
const ACCESS: { readonly [N in ScalarName]: string } = {
  int8: 'Int8',
  uint8: 'Uint8',
  int16: 'Int16',
  uint16: 'Uint16',
  int32: 'Int32',
  uint32: 'Uint32',
  int64: 'BigInt64',
  uint64: 'BigUint64',
  float32: 'Float32',
  float64: 'Float64',
  bool: 'Uint8',
  char: 'Uint8',
};

/** Which values are stored without ado, and what of them is; the DataView wraps and rounds. */
const USUAL: { readonly [K in ScalarKind]: readonly [condition: string, stored: string] } = {
  integer: ['Number.isInteger(value)', 'value'],
  bigint: ["typeof value === 'bigint'", 'value'],
  float: ["typeof value === 'number'", 'value'],
  bool: ["typeof value === 'boolean'", '(value ? 1 : 0)'],
  char: [
    "typeof value === 'string' && value.length === 1 && value.charCodeAt(0) <= 0xff",
    'value.charCodeAt(0)',
  ],
};

/** An expression for the scalar that stands at `place` of `view`. */
export function reading({ name, kind }: ScalarType, place: string): string {
  const element = `view.get${ACCESS[name]}(${place}, ${LITTLE_ENDIAN})`;
  if (kind === 'bool') return `${element} !== 0`;
  return kind === 'char' ? `String.fromCharCode(${element})` : element;
}

/** A statement that stores `value` at `place` of `view`, or what the expression `converted` makes of it, or throws. */
export function storing({ name, kind }: ScalarType, place: string, converted: string): string {
  const [condition, stored] = USUAL[kind];
  return `view.set${ACCESS[name]}(${place}, ${condition} ? ${stored} : ${converted}, ${LITTLE_ENDIAN});`;
}
