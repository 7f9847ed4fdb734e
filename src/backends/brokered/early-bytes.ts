/** What came over a line while its thread was writing, when nobody could be told. */
export class EarlyBytes {
  readonly #hear: (bytes: Buffer) => void;
  readonly #pieces: Buffer[] = [];

  constructor(hear: (bytes: Buffer) => void) {
    this.#hear = hear;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** In memory that nobody else uses. */
  add(bytes: Buffer): void {
    this.#pieces.push(bytes);
  }

  /** One by one: whoever hears of it may read on, and the rest comes first. Whether there was any. */
  deliver(): boolean {
    if (this.isEmpty) return false;
    for (let bytes = this.#pieces.shift(); bytes !== undefined; bytes = this.#pieces.shift()) {
      this.#hear(bytes);
    }
    return true;
  }

  /** Nobody is to hear of it any more. */
  drop(): void {
    this.#pieces.length = 0;
  }
}
