// @ts-check
import { TimedSamples } from './timed-samples.mjs';
import { MessageCheck, MessageSource } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').Report} Report */

/** Round trips over something that answers by events: each is asked from within the answer to the one before. */
export class EventRoundTrips {
  #parameters;
  #ask;
  /** @type {(bytes: Uint8Array) => void} */
  #onReply = () => {
    throw new Error('a reply to nothing');
  };

  /**
   * @param {import('./verified-message.mjs').MessageParameters} parameters
   * @param {(bytes: Uint8Array) => void} ask
   */
  constructor(parameters, ask) {
    this.#parameters = parameters;
    this.#ask = ask;
  }

  /** @param {Uint8Array} bytes */
  onReply(bytes) {
    this.#onReply(bytes);
  }

  /**
   * @param {number} count
   * @returns {Promise<Report>}
   */
  run(count) {
    const samples = new TimedSamples(count);
    const source = new MessageSource(this.#parameters);
    const check = new MessageCheck(this.#parameters);
    const message = source.createMessage();
    let askedAt = 0;
    const askNext = () => {
      source.stamp(message);
      askedAt = performance.now();
      this.#ask(message.bytes);
    };
    return new Promise((resolve, reject) => {
      this.#onReply = (bytes) => {
        samples.add(performance.now() - askedAt);
        try {
          check.accept(bytes);
        } catch (error) {
          reject(error);
          return;
        }
        if (samples.isComplete) resolve(samples.report());
        else askNext();
      };
      askNext();
    });
  }
}
