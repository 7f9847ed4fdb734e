import { setTimeout as sleep } from 'node:timers/promises';

import { abortReason, InterprocError, TimeoutError } from '../errors.js';
import { signalOf, timeoutOf } from './wait-options.js';
import type { WaitOptions } from './wait-options.js';

// A look at a name that is not there costs some tens of microseconds: at the longest pause, 0.1 % of a processor.
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/**
 * Opens what another process is about to create: looks until it is there. The wait keeps the process alive.
 * @throws (rejects) TimeoutError, with the last ERR_NOT_FOUND as `cause`; the signal's reason; at once what
 * `open` throws besides ERR_NOT_FOUND
 */
export async function openWhenAvailable<T>(
  open: () => T,
  name: string,
  options: WaitOptions | undefined,
): Promise<T> {
  const timeoutMs = timeoutOf(options);
  const signal = signalOf(options);
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    if (signal?.aborted === true) throw abortReason(signal);
    try {
      return open();
    } catch (error) {
      if (!(error instanceof InterprocError) || error.code !== 'ERR_NOT_FOUND') throw error;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        throw new TimeoutError(`Nobody created '${name}' within ${timeoutMs} ms`, { cause: error });
      }
      // An abort ends the pause, and the loop then says so.
      await sleep(Math.min(pauseMs, Math.ceil(leftMs)), undefined, signal && { signal }).catch(
        () => undefined,
      );
    }
  }
}
