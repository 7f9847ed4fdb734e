import {
  linkSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { removeIfSame } from '../../../src/backends/socket/seat.js';

vi.mock('node:fs', { spy: true });

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interproc-seat-'));
  path = join(directory, 'name');
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

function fileOf(content: string): bigint {
  writeFileSync(path, content);
  return lstatSync(path, { bigint: true }).ino;
}

function failingWith(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code });
  };
}

describe('a name that is taken away because its owner is dead', () => {
  it('is gone', () => {
    removeIfSame(directory, 'name', fileOf('dead'), directory);
    expect(readdirSync(directory)).toEqual([]);
    removeIfSame(directory, 'name', 1n, directory);
  });

  it.each(['', 'ENOSPC', 'EMLINK'])(
    "goes back if it is another's by then, also where links fail with '%s'",
    (code) => {
      const another = fileOf('alive');
      if (code !== '') vi.mocked(linkSync).mockImplementation(failingWith(code));
      removeIfSame(directory, 'name', another + 1n, directory);
      expect(readdirSync(directory)).toEqual(['name']);
      expect(readFileSync(path, 'utf8')).toBe('alive');
    },
  );

  it('is left to who has come to it meanwhile', () => {
    const another = fileOf('alive');
    vi.mocked(linkSync).mockImplementation(() => {
      writeFileSync(path, 'newer');
      return failingWith('EEXIST')();
    });
    removeIfSame(directory, 'name', another + 1n, directory);
    expect(readdirSync(directory)).toEqual(['name']);
    expect(readFileSync(path, 'utf8')).toBe('newer');
  });
});
