import type { Side } from '../../contract/channel.js';
import type { Addon, Token } from './addon.js';

/**
 * One native wait, which ends after 50 ms at the latest. A function of its own, for V8 ends a thread (`worker.terminate()`)
 * where a function is entered: a bare loop around native calls was seen to go on for seconds.
 */
function waitSlice(addon: Addon, token: Token, side: Side, milliseconds: number): boolean {
  return addon.wait(token, side, milliseconds) !== 0;
}

/** Blocks this thread until it is worth looking again, or until `timeoutMs` has passed (false). */
export function waitInSlices(addon: Addon, token: Token, side: Side, timeoutMs: number): boolean {
  if (timeoutMs === Infinity) {
    while (!waitSlice(addon, token, side, timeoutMs));
    return true;
  }
  const deadline = performance.now() + timeoutMs;
  for (let left = timeoutMs; left > 0; left = deadline - performance.now()) {
    if (waitSlice(addon, token, side, left)) return true;
  }
  return false;
}
