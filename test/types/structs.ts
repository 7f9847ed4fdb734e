/** What the compiler knows about structs. Checked by `npm run types`, never run. */

import { Queue, Struct } from 'interproc';
import type { StructRecord, StructType, StructValue } from 'interproc';
import { same } from './same.js';

const Point = Struct({ x: 'float64', y: 'd', id: 'uint32' });
const Body = Struct({
  at: Point,
  ticks: 'int64',
  total: 'Q',
  alive: '?',
  mark: 'char',
  name: ['c', 16],
  m: ['float64', 9],
  counts: ['q', 2],
  flags: ['bool', 3],
  path: [Point, 4],
  grid: [['int8', 3], 2],
  lines: [['char', 8], 2],
});

interface PlainPoint {
  x: number;
  y: number;
  id: number;
}
interface PlainBody {
  at: PlainPoint;
  ticks: bigint;
  total: bigint;
  alive: boolean;
  mark: string;
  name: string;
  m: number[];
  counts: bigint[];
  flags: boolean[];
  path: PlainPoint[];
  grid: number[][];
  lines: string[];
}

export function values(memory: SharedArrayBuffer): void {
  const point = Point.read(memory);
  same<typeof point, { x: number; y: number; id: number }>();
  same<StructValue<typeof Point>, { x: number; y: number; id: number }>();
  const body = Body.read(new Uint8Array(1), 3);
  same<keyof typeof body, keyof PlainBody>();
  const plain: PlainBody = body;
  const back: StructValue<typeof Body> = plain;
  same<typeof body.at, { x: number; y: number; id: number }>();
  same<typeof body.ticks, bigint>();
  same<typeof body.alive, boolean>();
  same<typeof body.name, string>();
  same<typeof body.m, number[]>();
  same<typeof body.counts, bigint[]>();
  same<typeof body.flags, boolean[]>();
  same<typeof body.grid, number[][]>();
  same<typeof body.lines, string[]>();
  void back;
}

export function records(memory: ArrayBuffer): void {
  const body = Body.view(memory);
  same<typeof body, StructRecord<typeof Body>>();
  same<typeof body.at, { x: number; y: number; id: number }>();
  same<typeof body.ticks, bigint>();
  same<typeof body.m, Float64Array>();
  same<typeof body.counts, BigInt64Array>();
  same<typeof body.flags, Uint8Array>();
  same<typeof body.name, string>();
  same<typeof body.path, readonly { x: number; y: number; id: number }[]>();
  same<typeof body.grid, readonly Int8Array[]>();
  same<typeof body.lines, readonly string[]>();
  body.ticks += 1n;
  body.at = { x: 1, y: 2, id: 3 };
  body.m[3] = 1;

  // @ts-expect-error a 64-bit integer is a bigint
  body.ticks = 1;
  // @ts-expect-error no such field
  body.z = 1;
  // @ts-expect-error records of an array stay where they are
  body.path[0] = body.at;
}

export function writing(memory: Uint8Array): void {
  Point.write(memory, 0, { x: 1, y: 2, id: 3 });
  Point.write(memory, 0, Point.view(memory));
  const body = Body.read(memory);
  Body.write(memory, 0, body);
  Body.write(memory, 0, Body.view(memory));
  Body.write(memory, 0, { ...body, m: new Float32Array(9), ticks: 3, path: [] });

  // @ts-expect-error a field is missing
  Point.write(memory, 0, { x: 1, y: 2 });
  // @ts-expect-error a text is no number
  Point.write(memory, 0, { x: '1', y: 2, id: 3 });
  // @ts-expect-error numbers have no characters
  Body.write(memory, 0, { ...body, name: [1, 2] });
}

export function layout(): void {
  same<typeof Point.byteLength, number>();
  same<typeof Point.schema, string>();
  same<typeof Point.fields.id.byteOffset, number>();
  const struct: StructType<unknown, unknown> = Body;
  void struct;

  // @ts-expect-error no such field
  void Point.fields.z;
  // @ts-expect-error no such type
  Struct({ x: 'float' });
  // @ts-expect-error a length is a number
  Struct({ x: ['float64', '3'] });
  // @ts-expect-error a layout is fixed
  Point.byteLength = 3;
}

/** A struct decides what a queue carries. */
export async function codecs(): Promise<void> {
  const points = Queue.create('a', { codec: Point });
  same<typeof points, Queue<{ x: number; y: number; id: number }>>();
  const anonymous = new Queue({ codec: Point, maxItems: 3 });
  same<typeof anonymous, Queue<{ x: number; y: number; id: number }>>();
  const later = await Queue.openWhenAvailable('a', { codec: Point, timeoutMs: 3 });
  same<typeof later, Queue<{ x: number; y: number; id: number }>>();
  const bodies: Queue<StructValue<typeof Body>> = Queue.open('a', { codec: Body });
  same<Awaited<ReturnType<typeof bodies.get>>['name'], string>();
  await points.put({ x: 1, y: 2, id: 3 });
  points.putNowait(Point.view(new ArrayBuffer(24)));

  // @ts-expect-error no point
  await points.put({ x: 1, y: 2 });
  // @ts-expect-error no point
  Queue.create<{ x: string }>('a', { codec: Point });
}
