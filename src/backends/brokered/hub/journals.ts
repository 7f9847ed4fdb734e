/** The journals of a hub's clients: journal.ts has the protocol. */

import type { FrameSplitter } from '../frames.js';
import { JOURNAL_BYTES, LEASE_MS, LONGEST_WORD } from '../journal.js';
import type { JournalSource } from '../journal.js';
import { ownTime } from '../own-time.js';
import { fail } from './fail.js';

/** Between two looks. */
const LOOK_MS = 1;
/** No clock is as fine as it says. */
const MARGIN_MS = 0.1;

/** That of one client. */
export class Journal {
  readonly #source: JournalSource;
  readonly #splitter: FrameSplitter;
  /** Whether nothing more of its client can be heard now. */
  readonly #isStopped: () => boolean;
  #isOpen = false;
  #isReading = false;
  #isClosed = false;
  /** Bytes that were read since it was empty. */
  #bytesRead = 0;
  /** From then on one more look is the last. */
  #leaseEnd = 0;
  #ending: { readonly at: number; readonly heard: () => void } | undefined;

  /** `splitter`: of nothing else, for it may stand within a word while the line goes on. */
  constructor(source: JournalSource, splitter: FrameSplitter, isStopped: () => boolean) {
    this.#source = source;
    this.#splitter = splitter;
    this.#isStopped = isStopped;
  }

  get path(): string {
    return this.#source.path;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get hasLease(): boolean {
    return ownTime.now() < this.#leaseEnd;
  }

  /** It is to be heard to its end before anything else is. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  go(): void {
    this.#assertNotReading('JOURNAL_GO');
    this.#source.hide();
    this.#isOpen = true;
    this.#leaseEnd = ownTime.now() + LEASE_MS + MARGIN_MS;
  }

  /** Calls `heard` when it was up to there, as soon as that can be. */
  endAt(at: number, heard: () => void): void {
    this.#assertNotReading('JOURNAL_UP_TO');
    this.#ending = { at, heard };
    this.hear();
  }

  hear(): void {
    // What is asked there may be served, and read on from, within this.
    if (this.#isReading) return;
    const bytesInAll = this.#source.look();
    // Of the last one a part may stand there.
    if (bytesInAll > JOURNAL_BYTES + LONGEST_WORD) {
      fail('ERR_CORRUPT', `A journal of ${bytesInAll} bytes; ${JOURNAL_BYTES} at most`);
    }
    this.#isReading = true;
    try {
      while (!this.#isStopped()) {
        const bytes = this.#source.read();
        if (bytes.length === 0) break;
        const left = this.#splitter.push(bytes, this.#isStopped).length;
        this.#source.unread(left);
        this.#bytesRead += bytes.length - left;
      }
    } finally {
      this.#isReading = false;
    }
    if (!this.#isStopped()) this.#end();
  }

  #end(): void {
    const ending = this.#ending;
    if (ending === undefined) return;
    // What is behind it did not find room.
    const bytes = this.#bytesRead - this.#splitter.pending;
    if (bytes !== ending.at) {
      fail('ERR_CORRUPT', `${bytes} bytes of a journal in which ${ending.at} are said to be`);
    }
    this.#splitter.forget();
    this.#isOpen = false;
    this.#ending = undefined;
    this.#bytesRead = 0;
    this.#source.empty();
    ending.heard();
  }

  #assertNotReading(operation: string): void {
    if (this.#isReading) fail('ERR_CORRUPT', `${operation} in the journal itself`);
  }

  close(): void {
    this.#isOpen = false;
    this.#ending = undefined;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.close();
  }
}

/** Who has one that is to be looked at. */
export interface JournalOwner {
  /** Hears what it says; false: it need not be looked at again. */
  hearJournal(): boolean;
}

/** Those that are looked at now and then. */
export class JournalWatch {
  readonly #owners = new Set<JournalOwner>();
  #isLookingSoon = false;

  add(owner: JournalOwner): void {
    this.#owners.add(owner);
    this.#lookSoon();
  }

  remove(owner: JournalOwner): void {
    this.#owners.delete(owner);
  }

  /** Looks at all of them. */
  hear(): void {
    if (this.#owners.size === 0) return;
    const owners = [...this.#owners];
    for (const owner of owners) {
      // One may ask for something there, and be served: before that the others are heard.
      if (this.#owners.delete(owner) && owner.hearJournal()) this.#owners.add(owner);
    }
  }

  #lookSoon(): void {
    if (this.#isLookingSoon) return;
    this.#isLookingSoon = true;
    setTimeout(() => {
      this.#isLookingSoon = false;
      this.hear();
      if (this.#owners.size > 0) this.#lookSoon();
    }, LOOK_MS);
  }
}
