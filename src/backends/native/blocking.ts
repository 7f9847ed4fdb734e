import type { Side } from '../../contract/channel.js';
import type { Addon, Token } from './addon.js';

/**
 * Blocks this thread until it is worth looking again or `timeoutMs` has passed (false). Each native wait ends after a slice of
 * at most 50 ms: V8 can end a thread (`worker.terminate()`) only between two of them, in JavaScript.
 */
export function waitInSlices(addon: Addon, token: Token, side: Side, timeoutMs: number): boolean {
  if (timeoutMs === Infinity) {
    while (addon.wait(token, side, timeoutMs) === 0);
    return true;
  }
  const deadline = performance.now() + timeoutMs;
  for (let left = timeoutMs; left > 0; left = deadline - performance.now()) {
    if (addon.wait(token, side, left) !== 0) return true;
  }
  return false;
}
