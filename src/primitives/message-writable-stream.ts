import { abortReason } from '../errors.js';
import type { WritableStreamOptions } from './stream-options.js';
import type { WaitOptions } from './wait-options.js';

/** What is written to: a queue, or a connection. */
export interface Puts<T> {
  put(value: T, options?: WaitOptions): Promise<void>;
  /** Ends the queue, or closes the connection. */
  end(): void;
}

/** With what the types of Node 20 leave out. */
type Controller = WritableStreamDefaultController & { readonly signal: AbortSignal };

/** A web stream into `target`. `onOver`: to be called when it takes nothing more. */
export function writableStreamOf<T>(
  target: Puts<T>,
  { end = false, highWaterMark = 1, signal }: WritableStreamOptions,
  onOver: () => void = () => {},
): WritableStream<T> {
  const withdrawing = new AbortController();
  let failed: (reason: unknown) => void = () => {};
  const onAbort = () => {
    const reason = abortReason(signal as AbortSignal);
    failed(reason);
    withdrawing.abort(reason);
    onOver();
  };
  const over = () => {
    signal?.removeEventListener('abort', onAbort);
    onOver();
  };
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
          await target.put(value, { signal: withdrawing.signal });
        } catch (error) {
          over();
          throw error;
        }
      },
      close() {
        signal?.removeEventListener('abort', onAbort);
        if (end) target.end();
        onOver();
      },
      abort: over,
    },
    { highWaterMark },
  );
}
