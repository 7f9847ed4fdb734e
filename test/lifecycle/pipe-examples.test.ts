import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';

import { test } from './scene.js';
import type { Scene } from './scene.js';

const run = promisify(execFile);

async function example(name: string, scene: Scene): Promise<string[]> {
  const file = fileURLToPath(new URL(`../../examples/pipes/${name}.mjs`, import.meta.url));
  const env = { ...process.env, INTERPROC_DIR: scene.directory };
  const { stdout } = await run(process.execPath, [file], { env });
  return stdout.trimEnd().split('\n');
}

describe('the programs of the documents', () => {
  test('a child sends a value on a pipe and closes it', async ({ scene }) => {
    expect(await example('greeting', scene)).toEqual(["[ 42, null, 'hello' ]", 'EOF']);
  });

  test('one child sends what another receives', async ({ scene }) => {
    const lines = await example('two-children', scene);
    const of = (what: string) => lines.filter((line) => line.startsWith(what));
    expect(of('Sending')).toEqual(['Sending: Hello', 'Sending: World', 'Sending: !']);
    expect(of('Received')).toEqual(['Received: Hello', 'Received: World', 'Received: !']);
    expect(lines).toHaveLength(6);
  });
});
