import { expect } from 'vitest';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';

const RUN_WATCHDOG_MS = atScale(600_000, 24 * 3_600_000);
const OPTIONS = { timeout: RUN_WATCHDOG_MS + 60_000 };

/** `npm run soak -- --messages 20000000` for the figure that is promised: this is what fits here. */
const MESSAGES = atScale(2_000_000, 1e9);
const MESSAGES_WITH_KILLS = atScale(100_000, 10_000_000);
const KILLS = atScale(40, 1000);

/** Two producers, two consumers; 99.9 % of the messages up to 1 KiB, the rest up to 8 MiB. */
async function soak(scene: Scene, messages: number, kills: number): Promise<void> {
  const seed = printedSeed('soak');
  const args = ['--messages', messages, '--kills', kills, '--seed', seed];
  const program = scene.start('soak', args);
  const ending = await program.ends(RUN_WATCHDOG_MS);
  expect(ending, program.describe()).toEqual({ code: 0, signal: null });
  const result = await program.says('result');
  console.log(`  ${JSON.stringify(result)}`);
  expect(result).toMatchObject({ lost: 0, unmarked: 0, disordered: 0, kills });
}

test(`${MESSAGES} messages come exactly once and in order`, OPTIONS, ({ scene }) =>
  soak(scene, MESSAGES, 0),
);

test(
  `of ${MESSAGES_WITH_KILLS} messages none is lost in ${KILLS} kills of their receivers`,
  OPTIONS,
  ({ scene }) => soak(scene, MESSAGES_WITH_KILLS, KILLS),
);
