import { describe, expect } from 'vitest';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';

const RUN_WATCHDOG_MS = atScale(600_000, 24 * 3_600_000);

/** `npm run soak -- --messages 20000000` is the whole figure. */
const SOAKS = [
  { what: 'exactly once and in order', messages: atScale(2_000_000, 1e9), kills: 0 },
  { what: 'none lost, whoever is killed', messages: atScale(100_000, 10_000_000), kills: 40 },
];

describe('two producers and two consumers, 99.9 % of the messages up to 1 KiB and the rest up to 8 MiB:', () => {
  test.for(SOAKS)(
    '$messages messages, $kills kills: $what',
    { timeout: RUN_WATCHDOG_MS + 60_000 },
    async ({ messages, kills }, { scene }) => {
      const seed = printedSeed('soak');
      const args = ['--messages', messages, '--kills', kills, '--seed', seed];
      const soak = scene.start('soak', args);
      const ending = await soak.ends(RUN_WATCHDOG_MS);
      expect(ending, soak.describe()).toEqual({ code: 0, signal: null });
      const result = (await soak.says('result')) as { kills: number };
      console.log(`  ${JSON.stringify(result)}`);
      expect(result).toMatchObject({ lost: 0, unmarked: 0, disordered: 0, kills });
    },
  );
});
