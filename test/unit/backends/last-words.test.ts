import { closeSync, mkdtempSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { openWords, sweepWords } from '../../../src/backends/socket/last-words.js';

vi.mock('node:fs', { spy: true });

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interproc-last-words-'));
});

afterEach(() => {
  vi.resetAllMocks();
  rmSync(directory, { recursive: true });
});

describe('the file for the words of a broker', () => {
  it('has no name when it is there', () => {
    const words = openWords(directory);
    expect(readdirSync(directory)).toEqual([]);
    expect(writeSync(words, 'Error')).toBe(5);
    closeSync(words);
  });

  it('may be swept by a broker before that', () => {
    vi.mocked(rmSync).mockImplementationOnce((path, options) => {
      expect(readdirSync(directory)).toHaveLength(1);
      sweepWords(directory);
      expect(readdirSync(directory)).toEqual([]);
      rmSync(path, options);
    });
    closeSync(openWords(directory));
  });

  it('is all that is swept', () => {
    writeFileSync(join(directory, 'broker'), '');
    vi.mocked(rmSync).mockImplementationOnce(() => {});
    closeSync(openWords(directory));
    sweepWords(directory);
    expect(readdirSync(directory)).toEqual(['broker']);
  });
});
