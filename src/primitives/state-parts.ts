import { InterprocError } from '../errors.js';
import type { LockParts } from '../contract/locks.js';
import type { StateHandle } from './state-handle.js';

/**
 * One of the parts of a state.
 * @throws ERR_UNSUPPORTED if its backend has none
 */
export function partOf<K extends keyof LockParts>(
  { state, what }: StateHandle,
  part: K,
): NonNullable<LockParts[K]> {
  const found = state.parts[part];
  if (found !== undefined) return found;
  throw new InterprocError(
    'ERR_UNSUPPORTED',
    `${what} needs the capability '${part}', which its backend does not have`,
  );
}
