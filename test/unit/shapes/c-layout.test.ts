import fc from 'fast-check';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { anyStruct, definitionInC, structOf } from './any-struct.js';

const STRUCTS = 150;

const compiler = ['cc', 'gcc', 'clang'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);
if (compiler === undefined) {
  console.warn(
    'SKIPPED: no cc, gcc or clang on the PATH; the layout of structs was not compared with C',
  );
}

it.skipIf(compiler === undefined)('structs are laid out as the C compiler lays them out', () => {
  const seed = Number(process.env['INTERPROC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`layout against C: INTERPROC_SEED=${seed}`);
  // `class` is a word of JavaScript and C++ only.
  const models = fc.sample(anyStruct, { numRuns: STRUCTS, seed });
  const definitions = models.map((model, i) => definitionInC(model, `S${i}`));
  const prints = models.map((model, i) => {
    const offsets = model.fields.map(([name]) => `offsetof(S${i}, ${name})`);
    const numbers = [`sizeof(S${i})`, `_Alignof(S${i})`, ...offsets];
    return `  printf("${numbers.map(() => '%zu').join(' ')}\\n", ${numbers.join(', ')});`;
  });
  const program = `#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
${definitions.join('')}
int main(void) {
${prints.join('\n')}
  return 0;
}
`;
  const directory = mkdtempSync(join(tmpdir(), 'interproc-layout-'));
  try {
    const source = join(directory, 'layout.c');
    const binary = join(directory, 'layout');
    writeFileSync(source, program);
    execFileSync(compiler as string, ['-std=c11', '-o', binary, source]);
    const lines = execFileSync(binary, { encoding: 'utf8' }).trimEnd().split('\n');
    const ours = models.map((model) => {
      const { byteLength, alignment, fields } = structOf(model);
      const offsets = model.fields.map(([name]) => (fields as never)[name]['byteOffset']);
      return [byteLength, alignment, ...offsets].join(' ');
    });
    for (const [i, line] of lines.entries())
      expect(`${definitions[i]}${ours[i]}`).toBe(`${definitions[i]}${line}`);
    expect(lines).toHaveLength(STRUCTS);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
