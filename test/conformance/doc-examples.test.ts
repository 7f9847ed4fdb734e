/** Runs the examples of the doc comments: what stands after `// =>` is what the expression before it gives. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const results = join(root, 'test-results');
mkdirSync(results, { recursive: true });
const work = mkdtempSync(join(results, 'examples-'));
const directory = mkdtempSync('/dev/shm/interproc-examples-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(work, { recursive: true });
  rmSync(directory, { recursive: true });
});

interface Example {
  readonly file: string;
  readonly lines: string[];
}

function examples(): Example[] {
  const found: Example[] = [];
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    for (const [, block = ''] of readFileSync(path, 'utf8').matchAll(/ \* ```ts\n(.*?) \* ```/gs)) {
      const lines = block.split('\n').map((line) => line.replace(/^ *\* ?/, ''));
      found.push({ file: relative(root, path), lines });
    }
  }
  return found;
}

/** The example as a module that notes what each expression gave, and what it should have. */
function moduleOf({ lines }: Example): string {
  const source = lines.map((line) => {
    const [, expression, expected] = /^(.+?);? \/\/ => (.+)$/.exec(line) ?? [];
    if (expression === undefined) return line;
    return `results.push([(${expression}), ${JSON.stringify(expected)}]);`;
  });
  const text = source
    .join('\n')
    .replaceAll(/'interproc(?:\/(\w+))?'/g, (_, door = 'index') =>
      JSON.stringify(join(root, `src/${door}.ts`)),
    );
  return `export const results = [];\n${text}`;
}

describe('the examples in the doc comments', () => {
  const all = examples();

  it('are found', () => {
    expect(all.length).toBeGreaterThanOrEqual(4);
  });

  it.each(all.map((example, i) => [`${example.file}, example ${i}`, example] as const))(
    'give what they say: %s',
    async (_, example) => {
      const path = join(work, `${example.file.replaceAll(/\W/g, '-')}-${all.indexOf(example)}.ts`);
      writeFileSync(path, moduleOf(example));
      const { results } = (await import(path)) as { results: [unknown, string][] };
      expect(results.length).toBeGreaterThan(0);
      for (const [value, expected] of results) expect(inspect(value)).toBe(expected);
    },
  );
});
