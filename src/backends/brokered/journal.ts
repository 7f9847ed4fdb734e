/**
 * A *journal*: a file that one thread appends to and its hub reads, for words that nobody waits for. Appending costs half of what a
 * write to a socket does, wakes nobody, and what was appended outlives who did it as what was written to a socket does. It is used
 * while such words come fast; the line stays the way for what finds no room there, and the order of all that a thread says is kept:
 *
 *   client                                          hub
 *   idle    no journal, or an empty one             looks at nothing
 *     WANT  words come fast, and it has none        makes the file, says where it is (once)
 *     GO    words come fast                         open: looks now, and now and then for LEASE_MS from when it hears of this
 *   open    appends words                           hears them as if they had come over the line
 *     GO    a word, though LEASE_MS have passed;    the same again
 *           one that somebody waits for
 *     UP_TO so many bytes: before anything else     hears the journal up to there, then what came behind this over the line;
 *           goes over the line                      empties the file, and says so
 *   ended   says everything over the line           looks at nothing
 *           EMPTY is heard: idle again
 *
 * No word is left lying. A client looks at the clock when it *has* appended: later than LEASE_MS after it began to say GO, it says GO
 * again, and the hub looks when it hears that. Earlier, the hub looks later: it hears of GO after that was said, and looks once more
 * when LEASE_MS have passed since. Both measure a time on clocks of their own, which need not agree. A turn of the client's event
 * loop in which nothing was said is a reason to say GO too, so that only a thread that does not return to it leaves words to that last
 * look.
 *
 * No word comes in half. What has come may end within a word, whose rest the hub waits for, but for one that is behind UP_TO: that did
 * not find room, and comes over the line.
 *
 * No word comes late. Between GO and UP_TO nothing goes over the line; from UP_TO until EMPTY nothing is appended. So whenever
 * the hub looks, what is in the file comes behind what it has heard, and before what it has not.
 *
 * Whoever dies has said what is in its journal: the hub reads that to its end before it does what follows from the death.
 */

/** As long as that after GO words may be appended that nobody is told of. */
export const LEASE_MS = 5;
/** Bytes from which on it is emptied. */
export const JOURNAL_BYTES = 2 ** 20;

/** Of one word. Longer ones gain nothing here. */
export const LONGEST_WORD = 2 ** 12;

/** The client's side of the file. */
export interface JournalFile {
  /** Appends `bytes[begin, begin + length)`, at `at`, where it ends; false: there was no room for all of it. */
  append(at: number, bytes: Uint8Array, begin: number, length: number): boolean;
  close(): void;
}

/** The hub's side of the file. */
export interface JournalSource {
  /** Where the client finds it. */
  readonly path: string;
  /** Finds how much has come, in all since it was empty. */
  look(): number;
  /** The next piece of what has come until the last look; empty: there is no more. In memory that the next call overwrites. */
  read(): Buffer;
  /** So many bytes of it are to be read again. */
  unread(bytes: number): void;
  empty(): void;
  /** The client has found it, and nobody else is to. */
  hide(): void;
  close(): void;
}
