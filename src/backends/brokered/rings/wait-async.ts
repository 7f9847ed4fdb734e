/** `Atomics.waitAsync`, which the types of ES2023 do not know. */

type Waited =
  | { readonly async: false; readonly value: 'not-equal' | 'timed-out' }
  | { readonly async: true; readonly value: Promise<'ok' | 'timed-out'> };

const { waitAsync } = Atomics as unknown as {
  waitAsync(words: Int32Array, index: number, value: number): Waited;
};

/**
 * Calls `look` from the event loop, once, when the word is no longer that, or was notified about. It keeps no event loop alive,
 * and what `look` throws is uncaught, as from any other callback.
 */
export function whenNotified(
  words: Int32Array,
  index: number,
  value: number,
  look: () => void,
): void {
  const waited = waitAsync(words, index, value);
  if (waited.async) void waited.value.then(() => queueMicrotask(look));
  else queueMicrotask(look);
}
