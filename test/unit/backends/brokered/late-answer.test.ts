import { describe, expect, it } from 'vitest';

import { FrameWriter } from '../../../../src/backends/brokered/frames.js';
import type { Line } from '../../../../src/backends/brokered/line.js';
import { PROTOCOL_VERSION, REPLY } from '../../../../src/backends/brokered/operations.js';
import { Link } from '../../../../src/backends/brokered/remote/link.js';

const PATIENCE_MS = 20;

/** Of a thread that stands still for longer than its patience whenever it waits, and finds the answer afterwards. */
class StoppedLine implements Line {
  onBytes: (bytes: Buffer) => void = () => {};
  onLost: (cause: Error) => void = () => {};
  #sequence: number | undefined;
  #hasStood = false;

  write(bytes: Uint8Array): void {
    this.#sequence = Buffer.from(bytes).readUInt16LE(10);
    this.#hasStood = false;
  }

  wait(): boolean {
    if (!this.#hasStood) {
      this.#hasStood = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * PATIENCE_MS);
      return false;
    }
    const reply = new FrameWriter().begin(0, REPLY, this.#sequence ?? 0).u32(PROTOCOL_VERSION);
    reply.end();
    this.onBytes(reply.takeAway());
    return true;
  }

  ref(): void {}
  unref(): void {}
  close(): void {}
}

describe('a thread that was stopped in the middle of a request', () => {
  it('finds the answer that came meanwhile', () => {
    expect(() => new Link(new StoppedLine(), { patienceMs: PATIENCE_MS })).not.toThrow();
  });
});
