import {
  chownSync,
  closeSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { JournalFile, JournalSource } from '../../../src/backends/brokered/journal.js';
import { makeJournal, openJournal } from '../../../src/backends/socket/journal-file.js';

vi.mock('node:fs', { spy: true });

let directory: string;
let source: JournalSource;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interproc-journal-file-'));
  source = makeJournal(directory) as JournalSource;
  expect(source).toBeDefined();
});

afterEach(() => {
  vi.resetAllMocks();
  source.close();
  rmSync(directory, { recursive: true });
});

function opened(): JournalFile {
  const file = openJournal(source.path);
  if (file === undefined) throw new Error('it could not be opened');
  return file;
}

/** At the end of what is there. */
function append(file: JournalFile, text: string): boolean {
  return file.append(source.look(), Buffer.from(`> ${text} and more`), 2, text.length);
}

function failingOnceWith(code: string): void {
  vi.mocked(writeSync).mockImplementationOnce(() => {
    throw Object.assign(new Error(code), { code });
  });
}

describe('the file of a journal', () => {
  it('is read as far as it had come at the last look, and what is to be read again is', () => {
    const file = opened();
    expect(source.look()).toBe(0);
    append(file, 'one');
    expect(source.read()).toHaveLength(0);
    expect(source.look()).toBe(3);
    append(file, 'two');
    expect(source.read().toString()).toBe('one');
    expect(source.read()).toHaveLength(0);
    source.unread(1);
    expect(source.look()).toBe(6);
    expect(source.read().toString()).toBe('etwo');
    file.close();
  });

  it('is read in pieces if much has come', () => {
    const file = opened();
    const bytes = Buffer.alloc(600_000).map((_, i) => i % 251);
    expect(file.append(0, bytes, 0, bytes.length)).toBe(true);
    source.look();
    const pieces: Buffer[] = [];
    for (let piece = source.read(); piece.length > 0; piece = source.read()) {
      pieces.push(Buffer.from(piece));
    }
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    file.close();
  });

  it('begins anew when it was emptied', () => {
    const file = opened();
    append(file, 'before');
    source.look();
    source.read();
    source.empty();
    expect(lstatSync(source.path).size).toBe(0);
    expect(source.read()).toHaveLength(0);
    append(file, 'behind');
    expect(source.look()).toBe(6);
    expect(source.read().toString()).toBe('behind');
    file.close();
  });

  it("is its user's alone, and has no name any more when it was found", () => {
    expect(lstatSync(source.path).mode & 0o777).toBe(0o600);
    const file = opened();
    source.hide();
    expect(readdirSync(directory)).toEqual([]);
    append(file, 'word');
    expect(source.look()).toBe(4);
    file.close();
  });

  it('has none either when it was closed before', () => {
    const another = makeJournal(directory);
    another?.close();
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('is not there without its directory', () => {
    expect(makeJournal(join(directory, 'nowhere'))).toBe(undefined);
    rmSync(source.path);
    source.hide();
    expect(openJournal(source.path)).toBe(undefined);
  });

  it.each(['ENOSPC', 'EDQUOT', 'EFBIG', 'EINTR'])('has no room: %s', (code) => {
    const file = opened();
    failingOnceWith(code);
    expect(append(file, 'word')).toBe(false);
    expect(append(file, 'word')).toBe(true);
    file.close();
  });

  it('has no room for all of a word', () => {
    const file = opened();
    vi.mocked(writeSync).mockImplementationOnce(() => 2);
    expect(append(file, 'word')).toBe(false);
    file.close();
  });

  it('fails for other reasons', () => {
    const file = opened();
    failingOnceWith('EIO');
    expect(() => append(file, 'word')).toThrow('EIO');
    file.close();
  });

  it('is no link, and nothing but a file of this user', (context) => {
    const link = join(directory, 'link');
    symlinkSync(source.path, link);
    const before = vi.mocked(closeSync).mock.calls.length;
    expect(openJournal(link)).toBe(undefined);
    expect(openJournal('/dev/null')).toBe(undefined);
    expect(vi.mocked(closeSync).mock.calls).toHaveLength(before + 1);
    if (process.geteuid?.() !== 0) context.skip('only root can give a file away');
    chownSync(source.path, 12_345, -1);
    expect(openJournal(source.path)).toBe(undefined);
  });
});
