/** A message that was taken for somebody and goes back if he does not get it: a delivery, or a message of a connection. */
export interface Returnable<T> {
  readonly value: T;
  /** He has it. */
  ack(): void;
  /** It goes back. */
  nack(): void;
  /** It goes back, unless one of the two was called, or there is nothing any more where it could go to. */
  [Symbol.dispose](): void;
}
