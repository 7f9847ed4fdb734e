// @ts-check
import { createHash } from 'node:crypto';

/**
 * What a worker makes of one file.
 * @typedef {{ bytes: number, tokens: number, words: Record<string, number>, sha256: string }} Analysis
 */

const WORD = /[A-Za-z_$][\w$]*/g;

/**
 * Tokenises one source file, counts its words and hashes its bytes.
 * @param {Uint8Array} bytes
 * @returns {Analysis}
 */
export function analyse(bytes) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  /** @type {Map<string, number>} */
  const counts = new Map();
  let tokens = 0;
  for (const [word] of text.matchAll(WORD)) {
    tokens++;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return {
    bytes: bytes.length,
    tokens,
    words: Object.fromEntries(counts),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

/** Sums over all files, whatever the order they come in. */
export class Totals {
  files = 0;
  bytes = 0;
  tokens = 0;
  /** @type {Map<string, number>} */
  words = new Map();
  // The sum of all hashes modulo 2^256: no order, and every file counts as often as it was added.
  #hash = 0n;

  /** @param {Analysis} analysis */
  add(analysis) {
    this.files++;
    this.bytes += analysis.bytes;
    this.tokens += analysis.tokens;
    for (const [word, count] of Object.entries(analysis.words)) {
      this.words.set(word, (this.words.get(word) ?? 0) + count);
    }
    this.#hash = (this.#hash + BigInt(`0x${analysis.sha256}`)) % (1n << 256n);
  }

  /** One line that two runs share only if they saw the same files, each once. */
  get fingerprint() {
    let words = 0n;
    for (const [word, count] of this.words) {
      let hash = 7n;
      for (let i = 0; i < word.length; i++)
        hash = BigInt.asUintN(64, hash * 31n + BigInt(word.charCodeAt(i)));
      words = BigInt.asUintN(64, words + hash * BigInt(count));
    }
    return `${this.files} files, ${this.bytes} bytes, ${this.tokens} tokens, ${this.words.size} words, ${words.toString(16)}-${this.#hash.toString(16).slice(0, 16)}`;
  }

  /** @param {number} count */
  top(count) {
    return [...this.words].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, count);
  }
}
