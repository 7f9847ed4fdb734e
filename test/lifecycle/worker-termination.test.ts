import { describe, expect } from 'vitest';
import { nodes } from './nodes.js';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';

const TERMINATIONS = atScale(150, 5_000); // in each of two runs
const OPENERS = atScale(60, 5_000);
const RUN_WATCHDOG_MS = atScale(300_000, 3_600_000);

interface Result {
  readonly before: { readonly room: number; readonly participants: number };
  readonly after: { readonly room: number; readonly participants: number };
  readonly tally: Record<string, { readonly terminated: number; readonly whileAtIt: number }>;
  readonly messages: number;
  readonly lost: number;
  readonly permitted: number;
  readonly unacknowledged: number;
}

describe.each(nodes)('under Node $version', ({ path }) => {
  test(
    `${OPENERS} workers terminated while they load the package, open or close do not take the process along`,
    { timeout: RUN_WATCHDOG_MS + 60_000 },
    async ({ scene }) => {
      const args = [OPENERS, printedSeed('termination of openers')];
      const program = scene.start('terminated-openers', args, { node: path });
      expect(await program.ends(RUN_WATCHDOG_MS)).toEqual({ code: 0, signal: null });
      expect(await program.says('result')).toEqual({ participants: 1 });
    },
  );

  test.for(['getting', 'receiving'] as const)(
    `${TERMINATIONS} workers terminated in every state, some of them %s, leave the queue whole`,
    { timeout: RUN_WATCHDOG_MS + 60_000 },
    async (how, { scene }) => {
      const seed = printedSeed('worker termination');
      const args = [TERMINATIONS, seed, how];
      const program = scene.start('terminated-workers', args, { node: path });
      expect(await program.ends(RUN_WATCHDOG_MS)).toEqual({ code: 0, signal: null });
      const result = (await program.says('result')) as Result;

      // A get that was terminated between the queue and its next line took its message along; nothing else may be missing.
      const permitted = how === 'getting' ? result.permitted : 0;
      expect(result.lost, JSON.stringify(result)).toBeLessThanOrEqual(permitted);
      expect(result.after).toEqual(result.before);
      expect(result.before.participants).toBe(2);
      expect(result.unacknowledged).toBe(0);
      const { tally } = result;
      expect(Object.values(tally).reduce((sum, { terminated }) => sum + terminated, 0)).toBe(
        TERMINATIONS,
      );
      // The random moments have met every state.
      for (const [role, { whileAtIt }] of Object.entries(tally)) {
        expect(whileAtIt, `terminated while ${role}`).toBeGreaterThan(0);
      }
      console.log(`  ${JSON.stringify(result)}`);
    },
  );
});
