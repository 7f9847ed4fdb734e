import { expect } from 'vitest';
import { atScale } from './scale.js';
import { test } from './scene.js';

const CYCLES = atScale(50_000, 1_000_000);
const WARM_UP_CYCLES = atScale(10_000, 50_000);
const RUN_WATCHDOG_MS = atScale(300_000, 3_600_000);
const RESIDENT_GROWTH_BYTES = 5 << 20;

interface Count {
  readonly descriptors: number;
  readonly maps: number;
  readonly shared: number;
  readonly files: number;
  readonly residentBytes: number;
}

test(
  `${CYCLES} queues opened and closed in one process leave nothing`,
  { timeout: RUN_WATCHDOG_MS + 60_000 },
  async ({ scene }) => {
    const program = scene.start('open-and-close', [CYCLES, WARM_UP_CYCLES], {
      // V8's own young generation would otherwise grow for a while, and be taken for ours.
      nodeArguments: ['--expose-gc', '--max-semi-space-size=1'],
    });
    expect(await program.ends(RUN_WATCHDOG_MS)).toEqual({ code: 0, signal: null });
    const counted = (await program.says('counted')) as { before: Count; after: Count };
    const { before, after } = counted;
    const growth = after.residentBytes - before.residentBytes;
    console.log(`  ${JSON.stringify(counted)}`);
    expect(after.descriptors).toBe(before.descriptors);
    expect(after.shared).toBe(before.shared);
    expect(after.files).toBe(before.files);
    expect(growth).toBeLessThanOrEqual(RESIDENT_GROWTH_BYTES);
  },
);
