/** What the compiler knows about values and arrays. Checked by `npm run types`, never run. */

import { SharedArray, SharedMemory, Struct, Value } from 'interproc';
import { same } from './same.js';

const Point = Struct({ x: 'float64', flag: 'bool', id: 'uint64' });
interface PointValue {
  x: number;
  flag: boolean;
  id: bigint;
}

export function scalars(): void {
  const n = new Value('int32', 3);
  same<typeof n.value, number>();
  n.value = 4;
  // @ts-expect-error a string is no number
  n.value = '4';
  // @ts-expect-error a bigint is for 64-bit integers
  n.add(1n);
  // @ts-expect-error there is no such type
  new Value('int31');
  const q = Value.create('q', 'Q', 3);
  same<typeof q.value, bigint>();
  // What is read is a bigint; a whole number may be stored.
  q.value = 4;
  q.add(1n);
  const flag = new Value('?', true);
  same<typeof flag.value, boolean>();
  const letter = Value.openOrCreate('c', 'c', 'x');
  same<typeof letter.value, string>();
}

export async function opened(): Promise<void> {
  const known = Value.open('n', { type: 'float32' });
  same<typeof known.value, number>();
  const unknown = Value.open('n');
  same<typeof unknown.value, unknown>();
  const told = Value.open<bigint>('n');
  same<typeof told.value, bigint>();
  const available = await Value.openWhenAvailable('n', { type: 'bool', timeoutMs: 5 });
  same<typeof available.value, boolean>();
  const seen = await told.waitFor((v) => v > 10n, { timeoutMs: 5 });
  same<typeof seen, bigint>();
  // @ts-expect-error a call that blocks cannot be aborted
  told.waitForSync((v) => v > 10n, { signal: new AbortController().signal });
}

export function structs(): void {
  const p = new Value(Point, { x: 1, flag: true, id: 3 });
  const value: PointValue = p.value;
  same<typeof p.value.x, number>();
  same<typeof p.view.flag, boolean>();
  // @ts-expect-error a field is missing
  p.value = { x: 1, flag: true };
  p.update(({ id, ...rest }) => ({ ...rest, id: id + 1n }));
  void value;
}

export async function arrays(): Promise<void> {
  const xs = new SharedArray('float64', [1, 2]);
  same<(typeof xs)[number], number>();
  const part: Float64Array = xs.subarray(1);
  const doubled: number[] = xs.map((x) => x * 2);
  const texts: string[] = xs.map(String);
  xs[0] = 3;
  xs.set(0, 3);
  xs.set([1, 2], 1);
  // @ts-expect-error a bigint is for 64-bit integers
  xs.addAt(0, 1n);
  for (const x of xs) x.toFixed();
  const waited = await xs.waitFor((now) => (now[0] ?? 0) > 3);
  same<typeof waited, typeof xs>();
  const qs = SharedArray.create('qs', 'int64', 5);
  const previous: bigint = qs.addAt(0, 1);
  const parts: BigInt64Array = qs.subarray();
  const ps = new SharedArray(Point, 3);
  const point: PointValue = ps.get(0);
  const flag: boolean = ps.viewAt(0).flag;
  // @ts-expect-error neither a length nor elements
  new SharedArray('int32', {});
  void [part, doubled, texts, previous, parts, point, flag];
}

export function memory(): void {
  const blob = SharedMemory.create('blob', 10);
  const bytes: Uint8Array = blob.read(0, 3);
  const buffer: ArrayBuffer = blob.buffer;
  void [bytes, buffer];
}
