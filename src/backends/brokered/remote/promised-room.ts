/** What a handle knows of the room that its hub promised it, and whether it puts so fast that a promise is of use. */

/** Between two requests of one who puts fast. */
const FAST_MS = 1;

export class PromisedRoom {
  #bytes = 0;
  #wasUsed = false;
  #askedAt = -Infinity;
  /** All that was promised since the last request was used, or there was no room. */
  #wantsMore = false;

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether more of it may have been promised meanwhile. */
  get mayHaveGrown(): boolean {
    return this.#wantsMore;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#wasUsed = true;
    this.#wantsMore = true;
  }

  use(bytes: number): void {
    this.#bytes -= bytes;
    this.#wasUsed = true;
  }

  /** There was no room: what waits for some will not be the last. */
  foundNone(): void {
    this.#wantsMore = true;
  }

  /** To be called at each request. */
  isFast(): boolean {
    const now = performance.now();
    const isFast = this.#wantsMore || now - this.#askedAt < FAST_MS;
    this.#askedAt = now;
    this.#wantsMore = false;
    return isFast;
  }

  wasUsed(): boolean {
    const wasUsed = this.#wasUsed;
    this.#wasUsed = false;
    return wasUsed;
  }

  /** It ends with the request that is about to be made. */
  end(): void {
    this.#bytes = 0;
  }

  /** All of it, to be given back. It was of no use: the next request is not for more. */
  takeAll(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    this.#wantsMore = false;
    if (bytes > 0) this.#askedAt = -Infinity;
    return bytes;
  }
}
