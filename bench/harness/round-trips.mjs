// @ts-check
/** Round trips over anything that sends and receives by calls: each is asked after the answer to the one before. */

import { TimedSamples } from './timed-samples.mjs';
import { MessageCheck, MessageSource } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').Report} Report */
/** @typedef {import('./verified-message.mjs').MessageParameters} MessageParameters */

/**
 * One side's calls: they return when it is done, or promise it.
 * @template Sent, Received
 * @typedef {object} Calls
 * @property {(bytes: Uint8Array) => Sent} send
 * @property {() => Received} receive
 */

/**
 * How a round trip is made of calls.
 * @template Sent, Received
 * @typedef {object} Manner
 * @property {(calls: Calls<Sent, Received>, count: number) => void | Promise<void>} answer
 * @property {(calls: Calls<Sent, Received>, count: number, parameters: MessageParameters) => Report | Promise<Report>} ask
 */

/** By calls that block. @type {Manner<void, Uint8Array>} */
export const BLOCKING = {
  answer({ send, receive }, count) {
    for (let i = 0; i < count; i += 1) send(receive());
  },
  ask({ send, receive }, count, parameters) {
    const samples = new TimedSamples(count);
    const source = new MessageSource(parameters);
    const check = new MessageCheck(parameters);
    for (let i = 0; i < count; i += 1) {
      const bytes = source.next();
      const askedAt = performance.now();
      send(bytes);
      const reply = receive();
      samples.add(performance.now() - askedAt);
      check.accept(reply);
    }
    return samples.report();
  },
};

/** By calls that are awaited. @type {Manner<Promise<void>, Promise<Uint8Array>>} */
export const AWAITING = {
  async answer({ send, receive }, count) {
    for (let i = 0; i < count; i += 1) await send(await receive());
  },
  async ask({ send, receive }, count, parameters) {
    const samples = new TimedSamples(count);
    const source = new MessageSource(parameters);
    const check = new MessageCheck(parameters);
    for (let i = 0; i < count; i += 1) {
      const bytes = source.next();
      const askedAt = performance.now();
      await send(bytes);
      const reply = await receive();
      samples.add(performance.now() - askedAt);
      check.accept(reply);
    }
    return samples.report();
  },
};
