import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { capabilityTable, withTable } from '../../scripts/capability-table.mjs';

it('the README shows what the backends declare', async () => {
  const table = await capabilityTable();
  console.log(table);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const wayOut = 'run: npm run build:ts && node scripts/capability-table.mjs --write';
  expect(withTable(readme, table) === readme, wayOut).toBe(true);
});
