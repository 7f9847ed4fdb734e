/** So many objects of a shape are worth a function that is compiled for it, for some 30 us. */
export const COMPILE_AFTER = 200;

/** Node was started with --disallow-code-generation-from-strings, or is embedded in what forbids it. */
let isForbidden = false;

/** The function that has this source; undefined where code must not be made of strings. */
export function generated<F>(parameters: readonly string[], body: string): F | undefined {
  if (isForbidden) return undefined;
  try {
    return new Function(...parameters, body) as F;
  } catch {
    isForbidden = true;
    return undefined;
  }
}

/** Whether an assignment defines each of these keys, and a look at one finds no other than the object's own. */
export function areOrdinary(keys: readonly string[]): boolean {
  return !keys.some((key) => key in Object.prototype);
}
