/** What a thread says in its journal, and when: journal.ts has the protocol. */

import { FrameWriter } from '../frames.js';
import type { Body } from '../frames.js';
import { JOURNAL_BYTES, LEASE_MS, LONGEST_WORD } from '../journal.js';
import type { JournalFile } from '../journal.js';
import type { Line } from '../line.js';
import { JOURNAL, JOURNAL_EMPTY, JOURNAL_GO, JOURNAL_UP_TO, WANT_JOURNAL } from '../operations.js';
import { ownTime } from '../own-time.js';

/** Words come fast when what so many messages need is said in that time, whatever else is. */
const FAST_MESSAGES = 32;
const FAST_MS = 1;
/** From GO to UP_TO: with fewer it was of no use. */
const USEFUL_WORDS = 4;
/** To hear costs as much as some words, and to be here saves half of each. */
const HEARD_WORDS = 16;
/** From so many bytes on a journal is emptied when its client has nothing more to say. */
const KEPT_BYTES = 2 ** 16;

export class JournalWriter {
  readonly #line: Line;
  /** The line failed where nobody can be told by throwing. */
  readonly #failed: (error: Error) => void;
  readonly #isEager: boolean;
  readonly #frame = new FrameWriter();
  #file: JournalFile | undefined;
  #isWanted = false;
  /** There is none to be had. */
  #isRefused = false;
  /** The hub has emptied it, and GO may be said. */
  #isEmpty = false;
  #isOpen = false;
  #bytes = 0;
  /** Until then a word may be appended that the hub is not told of. */
  #leaseEnd = 0;
  /** Since the last GO. */
  #words = 0;
  /** In all GOs since UP_TO. */
  #wordsInAll = 0;
  /** Whether enough words came between the last two GOs. */
  #wasUseful = false;
  #isFast = false;
  /** Since it was last found whether words come fast. */
  #messages = 0;
  #since = 0;
  #isTurnWatched = false;
  /** Since it was last worth it. */
  #unheard = 0;

  /** `isEager`: as if words always came fast. */
  constructor(line: Line, failed: (error: Error) => void, isEager: boolean) {
    this.#line = line;
    this.#failed = failed;
    this.#isEager = isEager;
    this.#isFast = isEager;
  }

  /**
   * Says `memory[begin, begin + length)`, a word about so many messages, if that is of use here; false: over the line.
   *
   * @throws what ended the line
   */
  say(memory: Buffer, begin: number, length: number, messages: number): boolean {
    // One that is too long begins nothing, and ends what is open.
    if (!this.#isOpen && (length > LONGEST_WORD || !this.#begins(messages))) return false;
    if (!this.#append(memory, begin, length)) return false;
    if (!this.#isTurnWatched) this.#watchTurn();
    // Behind the appending, and not before: so the hub looks once more when this finds that it need not be told.
    if (ownTime.now() >= this.#leaseEnd) this.#ring();
    return true;
  }

  /** Says `memory[begin, begin + length)`, which somebody waits for, behind what stands here; false: over the line. @throws what ended the line */
  sayNow(memory: Buffer, begin: number, length: number): boolean {
    if (!this.#isOpen || !this.#append(memory, begin, length)) return false;
    this.#ring();
    return true;
  }

  /** Before anything else is said over the line. @throws what ended the line */
  leave(): void {
    if (this.#isOpen) this.#close();
  }

  /** Whether somebody who has not heard for long of what the hub says, may hear that he can go on here. */
  isWorthHearing(): boolean {
    if (this.#isEmpty || !this.#isWanted || this.#isRefused) return false;
    this.#unheard = (this.#unheard + 1) % HEARD_WORDS;
    return this.#unheard === 0;
  }

  told(operation: number, body: Body): void {
    if (operation === JOURNAL && this.#file === undefined) {
      const path = body.text();
      this.#file = path === '' ? undefined : this.#line.openJournal?.(path);
      this.#isEmpty = this.#file !== undefined;
      this.#isRefused = !this.#isEmpty;
    } else if (operation === JOURNAL_EMPTY) {
      this.#isEmpty = this.#file !== undefined;
      this.#bytes = 0;
    }
  }

  /** The line is gone. */
  end(): void {
    this.#isOpen = false;
    this.#isEmpty = false;
    this.#file?.close();
    this.#file = undefined;
  }

  /** False: it was ended, for there is no room for that. */
  #append(memory: Buffer, begin: number, length: number): boolean {
    const hasRoom = length <= LONGEST_WORD && this.#bytes + length <= JOURNAL_BYTES;
    if (hasRoom && (this.#file as JournalFile).append(this.#bytes, memory, begin, length)) {
      this.#bytes += length;
      this.#words++;
      return true;
    }
    this.#close();
    return false;
  }

  /** Whether the next word goes here. */
  #begins(messages: number): boolean {
    this.#messages += messages;
    if (this.#messages >= FAST_MESSAGES) this.#measure();
    if (!this.#isFast) return false;
    if (!this.#isWanted) this.#want();
    if (!this.#isEmpty) return false;
    this.#isOpen = true;
    this.#isEmpty = false;
    this.#wordsInAll = 0;
    this.#wasUseful = true;
    this.#go();
    return true;
  }

  #measure(): void {
    const now = ownTime.now();
    this.#isFast = this.#isEager || now - this.#since < FAST_MS;
    this.#since = now;
    this.#messages = 0;
  }

  #want(): void {
    this.#isWanted = true;
    this.#frame.begin(0, WANT_JOURNAL, 0).end();
    this.#line.write(this.#frame.take());
  }

  #go(): void {
    this.#wordsInAll += this.#words;
    this.#words = 0;
    // Before it is said, so that it ends here before it ends there.
    this.#leaseEnd = ownTime.now() + LEASE_MS;
    this.#frame.begin(0, JOURNAL_GO, 0).end();
    this.#line.write(this.#frame.take());
  }

  /** Lets the hub know that something was appended. */
  #ring(): void {
    const wasUseful = this.#words >= USEFUL_WORDS;
    // Twice in a row: words that come in bursts may begin with one whose lease is over.
    if (!wasUseful && !this.#wasUseful) this.#close();
    else this.#go();
    this.#wasUseful = wasUseful;
  }

  #close(): void {
    this.#isOpen = false;
    this.#wordsInAll += this.#words;
    this.#words = 0;
    if (this.#wordsInAll < USEFUL_WORDS) this.#isFast = this.#isEager;
    this.#messages = 0;
    this.#since = ownTime.now();
    this.#frame.begin(0, JOURNAL_UP_TO, 0).u32(this.#bytes).end();
    this.#line.write(this.#frame.take());
  }

  #watchTurn(wordsBefore = -1): void {
    this.#isTurnWatched = true;
    ownTime.setImmediate(() => {
      this.#isTurnWatched = false;
      if (!this.#isOpen) return;
      try {
        this.#endTurn(wordsBefore);
      } catch (error) {
        this.#failed(error as Error);
      }
    });
  }

  /** `wordsBefore`: when the turn began. */
  #endTurn(wordsBefore: number): void {
    const words = this.#wordsInAll + this.#words;
    // Who goes on turn after turn need not tell the hub at each, nor wait until it is empty.
    if (words !== wordsBefore) this.#watchTurn(words);
    else if (this.#bytes > KEPT_BYTES) this.#close();
    else if (this.#words > 0) this.#ring();
  }
}
