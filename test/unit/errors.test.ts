import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import {
  AbortError,
  abortReason,
  AuthenticationError,
  BufferTooShort,
  EOFError,
  ERROR_CODES,
  InterprocError,
  invalidArgument,
  QueueEmpty,
  QueueFull,
  shown,
  TimeoutError,
} from '../../src/errors.js';

describe('InterprocError', () => {
  it('carries its code, its cause and what the system said', () => {
    const cause = new Error('deep down');
    const error = new InterprocError('ERR_SYSTEM', 'no', { cause, errno: 28, syscall: 'mmap' });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'InterprocError',
      code: 'ERR_SYSTEM',
      message: 'no',
      cause,
      errno: 28,
      syscall: 'mmap',
    });
  });

  it('has no details that were not given', () => {
    const error = new InterprocError('ERR_CLOSED', 'closed');
    expect(Object.keys(error)).toEqual(['code']);
    expect('cause' in error).toBe(false);
    expect(inspect(error)).toMatch(/^InterprocError: closed\n/);
  });

  it.each([
    [TimeoutError, 'TimeoutError', 'ERR_TIMEOUT'],
    [QueueFull, 'QueueFull', 'ERR_FULL'],
    [QueueEmpty, 'QueueEmpty', 'ERR_EMPTY'],
    [EOFError, 'EOFError', 'ERR_EOF'],
    [AuthenticationError, 'AuthenticationError', 'ERR_AUTH'],
  ] as const)('has the subclass %o', (Subclass, name, code) => {
    const cause = new Error('why');
    const error = new Subclass('so it is', { cause });
    expect(error).toBeInstanceOf(InterprocError);
    expect(error).toMatchObject({ name, code, message: 'so it is', cause });
    expect(error.stack).toMatch(new RegExp(`^${name}: so it is\n`));
  });

  it('of a buffer too short has the message, and does not print it', () => {
    const error = new BufferTooShort('too short', new Uint8Array(1000), { cause: 'why' });
    expect(error).toBeInstanceOf(InterprocError);
    expect(error).toMatchObject({ name: 'BufferTooShort', code: 'ERR_TOO_LARGE', cause: 'why' });
    expect(error.bytes).toHaveLength(1000);
    expect(inspect(error)).not.toContain('bytes');
  });

  it('has a meaning for every code', () => {
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^ERR_[A-Z_]+$/);
      expect(meaning).not.toContain('\n');
      expect(meaning.length).toBeGreaterThan(10);
    }
  });
});

describe('the reason of an aborted signal', () => {
  it('is what was given', () => {
    const reason = { stop: true };
    expect(abortReason(AbortSignal.abort(reason))).toBe(reason);
    expect(abortReason(AbortSignal.abort(0))).toBe(0);
    expect(abortReason(AbortSignal.abort(null))).toBe(null);
  });

  it('is an AbortError by default, as in Node', () => {
    const signal = AbortSignal.abort();
    const error = abortReason(signal);
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: signal.reason });
  });
});

describe('a received value', () => {
  it.each<[unknown, string]>([
    [7, '7'],
    ['text', "'text'"],
    [10n, '10n'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [[1, [2]], '[ 1, [Array] ]'],
    [Uint8Array.of(1, 2), 'Uint8Array(2) [ 1, 2 ]'],
    [() => 1, '[Function (anonymous)]'],
  ])('is shown: %s', (value, text) => {
    expect(shown(value)).toBe(text);
  });

  it('is shown in one line, and not all of something long', () => {
    for (const value of [
      'x'.repeat(1000),
      'a\nb',
      { a: 'x\ny', b: Array.from({ length: 100 }, () => 'long') },
    ]) {
      expect(shown(value).length).toBeLessThanOrEqual(80);
      expect(shown(value)).not.toContain('\n');
    }
  });

  it('is not asked: its own code does not run', () => {
    const nosy = {
      get value(): string {
        throw new Error('a getter ran');
      },
      [inspect.custom](): string {
        throw new Error('an inspector ran');
      },
    };
    expect(shown(nosy)).toContain('Getter');
    expect(shown(new Proxy({}, { ownKeys: () => [] }))).toBe('{}');
    expect(shown(new Proxy(nosy, { getPrototypeOf: () => null }))).toBeTypeOf('string');
  });

  it('is named in the message, with what is taken', () => {
    const error = invalidArgument('maxItems', 'a whole number', -1);
    expect(error.message).toBe('maxItems takes a whole number; received -1');
    expect(error.code).toBe('ERR_INVALID_ARG');
  });
});
