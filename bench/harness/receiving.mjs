// @ts-check
/** The ways to receive a run's messages from anything that gives one, or many, with a call; each ends with the run. */

/** @template Message @typedef {import('./arrivals.mjs').Check<Message>} Check */

/**
 * @template Message
 * @param {Check<Message>} check
 * @param {() => Message} receive blocks while there is none
 */
export function receiveEach(check, receive) {
  while (check.accept(receive()));
}

/**
 * @template Message
 * @param {Check<Message>} check
 * @param {() => Promise<Message>} receive
 */
export async function receiveEachAwaited(check, receive) {
  while (check.accept(await receive()));
}

/**
 * @template Message
 * @param {Check<Message>} check
 * @param {AsyncIterable<Message>} messages
 */
export async function receiveIterated(check, messages) {
  for await (const message of messages) {
    if (!check.accept(message)) break;
  }
}

/**
 * @template Message
 * @param {Check<Message>} check
 * @param {() => Message[] | Promise<Message[]>} receiveMany
 */
export async function receiveBatches(check, receiveMany) {
  for (let isOver = false; !isOver;) {
    for (const message of await receiveMany()) isOver = !check.accept(message);
  }
}
