/** A message that stands in a queue of a hub, or is in somebody's hands. */
export interface Message {
  readonly bytes: Uint8Array;
  /** There are tickets in it. */
  readonly carries: boolean;
  /** Its place among all messages of the queue. */
  readonly order: number;
  /** How often it was handed over. */
  deliveries: number;
}

/** Taken elements are cut off when they are more than this, and most. */
const CUT_OFF = 1024;

/** First in, first out, at the same cost however many there are. */
export class MessageRow {
  #messages: (Message | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#messages.length - this.#first;
  }

  get first(): Message | undefined {
    return this.#messages[this.#first];
  }

  push(message: Message): void {
    this.#messages.push(message);
  }

  shift(): void {
    this.#messages[this.#first] = undefined;
    this.#first++;
    if (this.#first === this.#messages.length) {
      this.#messages = [];
      this.#first = 0;
    } else if (this.#first > CUT_OFF && this.#first > this.#messages.length / 2) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
  }
}
