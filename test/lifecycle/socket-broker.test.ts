import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SocketBackend } from '../../src/backends/socket/socket-backend.js';

describe('the broker of a directory', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'interproc-broker-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('is started by who needs it', () => {
    expect(new SocketBackend(directory).list()).toEqual([]);
    expect(readdirSync(join(directory, '~socket'))).toEqual([
      expect.stringMatching(/^\d+-/),
      'broker',
    ]);
  });

  it('is found where the path is too long for the address of a socket', () => {
    const long = join(directory, 'x'.repeat(120));
    mkdirSync(long);
    expect(new SocketBackend(long).list()).toEqual([]);
    expect(readdirSync(join(long, '~socket'))).toEqual([expect.stringMatching(/^\d+-/), 'broker']);
  });
});
