import type { ViewedBytes } from '../viewed-bytes.js';

/** A message that stands in a queue of a hub, or is in somebody's hands. */
export interface Message {
  /** Its bytes are `memory[at, at + length)`. */
  readonly memory: ViewedBytes;
  readonly at: number;
  readonly length: number;
  /** There are tickets in it. */
  readonly carries: boolean;
  /** Its place among all messages of the queue. */
  readonly order: number;
  /** How often it was handed over. */
  deliveries: number;
  /** It takes room: not any more once it was handed over, though it may come back. */
  takesRoom: boolean;
}

/** Places of taken messages are cut off when they are more than this, and most. */
const CUT_OFF = 1024;

/** Messages in their order: new ones come at the end, taken ones come back where they were, which is mostly the front. */
export class MessageRow {
  #places: (Message | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#places.length - this.#first;
  }

  get first(): Message | undefined {
    return this.#places[this.#first];
  }

  push(message: Message): void {
    this.#places.push(message);
  }

  shift(): void {
    this.#places[this.#first] = undefined;
    this.#first++;
    if (this.#first === this.#places.length) {
      this.#places.length = 0;
      this.#first = 0;
    } else if (this.#first > CUT_OFF && this.#first > this.#places.length / 2) {
      this.#places = this.#places.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Where its order says. */
  insert(message: Message): void {
    const places = this.#places;
    let at = this.#first;
    while (at < places.length && (places[at] as Message).order < message.order) at++;
    if (at === this.#first && at > 0) {
      this.#first--;
      places[this.#first] = message;
    } else {
      places.splice(at, 0, message);
    }
  }
}
