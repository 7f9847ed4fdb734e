import type { FrameHeader } from './exchange-frame.js';
import type { OutgoingMessage } from './outgoing-message.js';

/** The connection, as an exchange of requests and responses uses it. */
export interface ExchangePort<T> {
  /** @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE */
  valueMessage(header: FrameHeader, value: T): OutgoingMessage;
  /** @throws ERR_TOO_LARGE */
  bytesMessage(header: FrameHeader, body: Uint8Array): OutgoingMessage;
  /** The value in a message of an exchange that is being accepted. @throws ERR_DECODE */
  valueIn(message: Uint8Array): T;
  /**
   * Sends it, behind the sends that wait; resolves when it has gone or was withdrawn.
   * @throws (rejects) ERR_PEER_DEAD, ERR_CLOSED
   */
  send(message: OutgoingMessage): Promise<void>;
  /** It is not sent any more, unless it has gone. */
  withdraw(message: OutgoingMessage): void;
}
