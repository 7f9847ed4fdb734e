import { InterprocError } from '../errors.js';
import type { Channel, Side } from '../contract/channel.js';
import type { State } from '../contract/state.js';
import { failureOf, NOT_YET } from './pending-waits.js';
import type { Operation, PendingWaits } from './pending-waits.js';

/**
 * Blocks this thread until `operation` succeeds, or throws its time-out. Calls pending on the same handle
 * were made earlier and are served first, also when they come to wait for the same room or message: a codec that
 * decodes for one of them cannot block behind it (ERR_DEADLOCK).
 *
 * Every round enters JavaScript, where V8 can end the thread (`worker.terminate()`). `isToldNext`: whether a look would find nothing
 * for which the wait would not be rung.
 */
export function block<T>(
  channel: Pick<Channel, 'name' | 'waitSync'>,
  side: Side,
  pending: PendingWaits,
  operation: Operation<T>,
  timeoutMs: number,
  isToldNext: () => boolean = () => false,
): T {
  if (pending.isLooking) {
    const error = new InterprocError(
      'ERR_DEADLOCK',
      `A codec that decodes for a pending call on '${channel.name}' cannot block behind that call; use another handle, or no call that blocks`,
    );
    throw failureOf(operation, error);
  }
  const deadline = performance.now() + timeoutMs;
  pending.suspend();
  try {
    for (;;) {
      const left = deadline - performance.now();
      const needNotLook = left > 0 && isToldNext();
      if (!needNotLook && pending.look()) {
        const result = operation.attempt();
        if (result !== NOT_YET) return result;
      }
      if (left <= 0) throw failureOf(operation, pending.timeoutError(timeoutMs));
      channel.waitSync(side, left);
    }
  } finally {
    pending.serve();
  }
}

/**
 * The same, but ahead of the calls that are pending: while this thread is blocked, nobody who waits in it could use what it would
 * get.
 */
export function blockAhead<T>(
  state: Pick<State, 'waitSync' | 'leave'>,
  side: Side,
  pending: PendingWaits,
  operation: Operation<T>,
  timeoutMs: number,
): T {
  const deadline = performance.now() + timeoutMs;
  pending.suspend();
  let isDone = false;
  try {
    for (;;) {
      const result = operation.attempt();
      if (result !== NOT_YET) {
        isDone = true;
        return result;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw failureOf(operation, pending.timeoutError(timeoutMs));
      state.waitSync(side, left);
    }
  } finally {
    if (!isDone) state.leave(side);
    pending.serve();
  }
}
