/** Elements of each type as they stand in the bytes of a state: little-endian, wrapped and rounded as typed arrays do it. */

import type { CellType } from '../../contract/state.js';

type Element = number | bigint;

export interface CellAccess {
  readonly type: CellType;
  readonly byteLength: number;
  readonly isFloat: boolean;
  get(view: DataView, at: number): Element;
  set(view: DataView, at: number, value: Element): void;
}

function access(
  type: CellType,
  byteLength: number,
  get: CellAccess['get'],
  set: (view: DataView, at: number, value: never) => void,
): CellAccess {
  const isFloat = type.startsWith('float');
  return { type, byteLength, isFloat, get, set: set as CellAccess['set'] };
}

/** In the order of their numbers on a line. */
export const CELL_ACCESSES: readonly CellAccess[] = [
  access(
    'int8',
    1,
    (view, at) => view.getInt8(at),
    (view, at, value: number) => view.setInt8(at, value),
  ),
  access(
    'uint8',
    1,
    (view, at) => view.getUint8(at),
    (view, at, value: number) => view.setUint8(at, value),
  ),
  access(
    'int16',
    2,
    (view, at) => view.getInt16(at, true),
    (view, at, value: number) => view.setInt16(at, value, true),
  ),
  access(
    'uint16',
    2,
    (view, at) => view.getUint16(at, true),
    (view, at, value: number) => view.setUint16(at, value, true),
  ),
  access(
    'int32',
    4,
    (view, at) => view.getInt32(at, true),
    (view, at, value: number) => view.setInt32(at, value, true),
  ),
  access(
    'uint32',
    4,
    (view, at) => view.getUint32(at, true),
    (view, at, value: number) => view.setUint32(at, value, true),
  ),
  access(
    'int64',
    8,
    (view, at) => view.getBigInt64(at, true),
    (view, at, value: bigint) => view.setBigInt64(at, value, true),
  ),
  access(
    'uint64',
    8,
    (view, at) => view.getBigUint64(at, true),
    (view, at, value: bigint) => view.setBigUint64(at, value, true),
  ),
  access(
    'float32',
    4,
    (view, at) => view.getFloat32(at, true),
    (view, at, value: number) => view.setFloat32(at, value, true),
  ),
  access(
    'float64',
    8,
    (view, at) => view.getFloat64(at, true),
    (view, at, value: number) => view.setFloat64(at, value, true),
  ),
];
