import { abortReason } from '../errors.js';
import type { QueueWritableOptions } from './stream-options.js';
import type { WaitOptions } from './wait-options.js';

/** What is written to: a queue. */
export interface Puts<T> {
  put(value: T, options?: WaitOptions): Promise<void>;
  end(): void;
}

/** With what the types of Node 20 leave out. */
type Controller = WritableStreamDefaultController & { readonly signal: AbortSignal };

/** A web stream into `queue`. */
export function writableStreamOf<T>(
  queue: Puts<T>,
  { end = false, highWaterMark = 1, signal }: QueueWritableOptions,
): WritableStream<T> {
  const withdrawing = new AbortController();
  let failed: (reason: unknown) => void = () => {};
  const onAbort = () => {
    const reason = abortReason(signal as AbortSignal);
    failed(reason);
    withdrawing.abort(reason);
  };
  const over = () => signal?.removeEventListener('abort', onAbort);
  return new WritableStream<T>(
    {
      start(controller) {
        failed = (reason) => controller.error(reason);
        // The stream's own signal: abort() would otherwise wait for the put that is pending.
        const own = (controller as Controller).signal;
        own.addEventListener('abort', () => withdrawing.abort(own.reason), { once: true });
        if (signal?.aborted === true) onAbort();
        else signal?.addEventListener('abort', onAbort, { once: true });
      },
      async write(value) {
        try {
          await queue.put(value, { signal: withdrawing.signal });
        } catch (error) {
          over();
          throw error;
        }
      },
      close() {
        over();
        if (end) queue.end();
      },
      abort: over,
    },
    { highWaterMark },
  );
}
