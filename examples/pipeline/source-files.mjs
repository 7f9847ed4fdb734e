// @ts-check
import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

const SOURCE = new Set([
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
  '.json',
  '.md',
  '.css',
  '.html',
  '.h',
  '.c',
  '.cc',
]);

/**
 * Every source file below a folder, in a fixed order; symbolic links are not followed, hidden folders (caches) left out.
 * @param {string} folder
 * @returns {Generator<string>}
 */
export function* sourceFiles(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* sourceFiles(path);
    else if (entry.isFile() && SOURCE.has(extname(entry.name))) yield path;
  }
}
