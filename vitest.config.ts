import { defineConfig } from 'vitest/config';

// A watchdog for tests that hang, not a bound on how long one may take.
const WATCHDOG_MS = 120_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Tests kill, stop and outlive processes: one file at a time keeps a failure readable on small machines.
    fileParallelism: false,
    testTimeout: WATCHDOG_MS,
    hookTimeout: WATCHDOG_MS,
    retry: 0,
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
  },
});
