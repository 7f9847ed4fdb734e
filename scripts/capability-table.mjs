// @ts-check
// The table of what each backend can do, from what they declare in dist/. Prints it; --write puts it into README.md.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { CAPABILITIES } from '../dist/contract/capabilities.js';
import { BACKEND_KINDS } from '../dist/contract/channel.js';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const BEGIN = '<!-- capabilities: written by scripts/capability-table.mjs -->';
const END = '<!-- /capabilities -->';

/** @typedef {import('../dist/contract/capabilities.js').Capabilities} Capabilities */

/** @returns {Promise<string>} */
export async function capabilityTable() {
  /** @type {Capabilities[]} */
  const declared = [];
  for (const kind of BACKEND_KINDS) {
    const declaration = await import(`../dist/backends/${kind}/capabilities.js`);
    declared.push(declaration.CAPABILITIES);
  }
  const rows = [
    ['', ...BACKEND_KINDS.map((kind) => `\`${kind}\``), 'where not'],
    ['---', ...BACKEND_KINDS.map(() => '---'), '---'],
  ];
  for (const [name, { what, otherwise }] of Object.entries(CAPABILITIES)) {
    const cells = declared.map((capabilities) => {
      const has = capabilities[/** @type {keyof Capabilities} */ (name)];
      return typeof has === 'string' ? `${has}` : has ? 'yes' : '–';
    });
    const isEverywhere = cells.every((cell) => cell === cells[0] && cell !== '–');
    rows.push([`${what} (\`${name}\`)`, ...cells, isEverywhere ? '' : otherwise]);
  }
  return aligned(rows);
}

/**
 * As prettier likes it.
 * @param {string[][]} rows
 */
function aligned(rows) {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) => {
      const cells = row.map((cell, i) =>
        cell === '---' ? '-'.repeat(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      );
      return `| ${cells.join(' | ')} |`;
    })
    .join('\n');
}

/**
 * The text with that table between the marks.
 * @param {string} text
 * @param {string} table
 */
export function withTable(text, table) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${text.slice(end)}`;
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  const table = await capabilityTable();
  if (process.argv.includes('--write')) {
    writeFileSync(README, withTable(readFileSync(README, 'utf8'), table));
  } else {
    console.log(table);
  }
}
