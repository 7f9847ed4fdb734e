/**
 * What a thread and its relay share besides the memory of the line:
 *
 *   word     written by   holds
 *   OUTCOME  relay        CONNECTING -> CONNECTED or NOBODY or FAILED; it is waited for
 *   ASKED    thread       how often it has asked whether the broker still has its end
 *   ANSWERED relay        which of these it has answered; it is waited for
 *   ENDED    relay        1: it is no more, or the connection is
 */

export const OUTCOME = 0;
export const ASKED = 1;
export const ANSWERED = 2;
export const ENDED = 3;
const WORDS = 4;

export const CONNECTING = 0;
export const CONNECTED = 1;
/** There is no such pipe: who listened there is dead. */
export const NOBODY = 2;
export const FAILED = 3;

export function newRelayWords(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * WORDS));
}

/** What the thread that is started as a relay is told. */
export interface RelayData {
  readonly address: string;
  /** Of the line. */
  readonly memory: SharedArrayBuffer;
  readonly hubWords: SharedArrayBuffer;
  readonly relayWords: SharedArrayBuffer;
}
