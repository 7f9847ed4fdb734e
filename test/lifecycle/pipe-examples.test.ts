import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';

import { test } from './scene.js';
import type { Scene } from './scene.js';

const run = promisify(execFile);

async function example(
  name: string,
  scene: Scene,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const file = fileURLToPath(new URL(`../../examples/pipes/${name}.mjs`, import.meta.url));
  const env = { ...process.env, INTERPROC_DIR: scene.directory, ...environment };
  const { stdout } = await run(process.execPath, [file, ...args], { env });
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

test('a server with several clients', async ({ scene }) => {
  const server = example('echo-server', scene);
  const client = (...words: string[]) => example('echo-client', scene, words);
  const answers = await Promise.all([
    client('hello', 'world'),
    client('grün'),
    example('echo-client', scene, ['let me in'], { ECHO_KEY: 'not known here' }),
    client('a', 'b', 'c'),
  ]);
  expect(answers).toEqual([['HELLO', 'WORLD'], ['GRÜN'], ['turned away'], ['A', 'B', 'C']]);
  await client('stop');
  expect(await server).toEqual(['4 clients, 7 messages, 1 turned away']);
});
