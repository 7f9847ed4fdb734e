/** Memory that messages are copied to and from, and a view of it that reads and writes four bytes at a time. */

/** Up to here a loop of four bytes at a time is faster than a call that first makes views of both; of single bytes, up to some 40. */
const LOOPED_BYTES = 160;

export class ViewedBytes {
  readonly view: DataView;

  constructor(readonly bytes: Buffer) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  static ofLength(length: number): ViewedBytes {
    return new ViewedBytes(Buffer.allocUnsafeSlow(length));
  }
}

/** Copies `from[start, start + length)` to `to` from `at` on. */
export function copyBytes(
  from: ViewedBytes,
  start: number,
  to: ViewedBytes,
  at: number,
  length: number,
): void {
  if (length > LOOPED_BYTES) {
    to.bytes.set(from.bytes.subarray(start, start + length), at);
    return;
  }
  const source = from.view;
  const target = to.view;
  const end = start + length;
  const lastWord = end - 3;
  let i = start;
  let j = at;
  for (; i < lastWord; i += 4, j += 4) target.setUint32(j, source.getUint32(i, true), true);
  for (; i < end; i++, j++) target.setUint8(j, source.getUint8(i));
}
