// @ts-check
import { Queue } from 'interproc';

import { MessageCheck, MessageSource } from './verified-message.mjs';
import { ValueCheck, ValueSource } from './verified-value.mjs';

/** @typedef {import('./contender.mjs').SideContext} SideContext */

/**
 * What goes through a queue, and how it is verified. The side that is set up first makes the queues, the others open them: all
 * as unrelated programs, by name.
 * @template Message
 * @template {import('./arrivals.mjs').Check<Message>} Check
 * @template {import('./sending.mjs').Source<Message>} Source
 * @typedef {object} Cargo
 * @property {(context: SideContext, name: string) => Queue<Message>} createQueue
 * @property {(name: string) => Queue<Message>} openQueue
 * @property {(context: SideContext) => Source} createSource
 * @property {(context: SideContext) => Check} createCheck
 */

/** @type {Cargo<Uint8Array, MessageCheck, MessageSource>} */
export const BYTES = {
  createQueue: ({ parameters }, name) =>
    Queue.create(name, { capacityBytes: parameters.capacityBytes, codec: 'raw' }),
  openQueue: (name) => Queue.open(name),
  createSource: ({ parameters, index }) => new MessageSource(parameters, index),
  createCheck: ({ parameters }) => new MessageCheck(parameters),
};

/** @type {Cargo<unknown, ValueCheck, ValueSource>} */
export const VALUES = {
  createQueue: ({ parameters }, name) =>
    Queue.create(name, { capacityBytes: parameters.capacityBytes }),
  openQueue: (name) => Queue.open(name),
  createSource: ({ parameters }) => new ValueSource(parameters),
  createCheck: ({ parameters }) => new ValueCheck(parameters),
};
