import { invalidArgument } from '../errors.js';

export interface BatchSize {
  /**
   * Messages to take at most, 1 or more.
   * @default 256
   */
  readonly max?: number | undefined;
}

const DEFAULT_BATCH = 256;

/** @throws ERR_INVALID_ARG */
export function batchSizeOf(options: BatchSize | undefined): number {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw invalidArgument('options', 'an object such as { max: 256 }', options);
  }
  const max = options?.max ?? DEFAULT_BATCH;
  if (!Number.isSafeInteger(max) || max < 1) {
    throw invalidArgument('max', 'a whole number, 1 or more', max);
  }
  return max;
}
