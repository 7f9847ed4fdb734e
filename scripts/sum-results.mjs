// Adds up test-results/*.json and closes with `N passed, N failed`. The arguments name the steps that failed; one
// that failed before it could count, or whose count shows no failure, is one failure.
//   node scripts/sum-results.mjs [failed-step...]
import { readdirSync, readFileSync } from 'node:fs';

/** Which file a step leaves its counts in; a step without one (lint, types) only passes or fails. */
const RESULT_OF_STEP = new Map([
  ['test:native', 'native-plain.json'],
  ['test:asan', 'native-asan.json'],
  ['test:tsan', 'native-tsan.json'],
  ['test:ts', 'vitest.json'],
]);

const directory = new URL('../test-results/', import.meta.url);
const results = new Map(
  readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const result = JSON.parse(readFileSync(new URL(name, directory), 'utf8'));
      return [
        name,
        {
          passed: Number(result.passed ?? result.numPassedTests),
          failed: Number(result.failed ?? result.numFailedTests),
        },
      ];
    }),
);

let passed = 0;
let failed = 0;
for (const [name, counts] of results) {
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed`);
  passed += counts.passed;
  failed += counts.failed;
}
for (const step of process.argv.slice(2)) {
  console.log(`${step}: FAILED`);
  const counted = results.get(RESULT_OF_STEP.get(step) ?? '')?.failed ?? 0;
  if (counted === 0) failed += 1;
}
if (passed === 0) console.log('nothing ran');
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
