/**
 * How threads and their hub meet. A thread offers the memory of a line on a channel that all threads of the process hear; the hub
 * answers there with the word by which it is woken. Only one thread at a time is a hub: the one that listens at an address made of
 * what is the same in all threads of a process and in no other process, which the system gives to one only, and takes back with
 * its life.
 */

import { performance } from 'node:perf_hooks';

import { socketAddress } from '../brokered/socket-address.js';

export const CHANNEL = 'interproc.memory';
/** Of the environment data that workers get from who starts them: the pulse of the hub that was found there. */
export const HINT = 'interproc.memory';

/** Its first two members are for all versions to understand. */
export interface Offer {
  readonly kind: 'offer';
  readonly layout: number;
  readonly memory: SharedArrayBuffer;
  readonly lifeline: string;
}

export interface Answer {
  readonly kind: 'answer';
  /** That of the offer. */
  readonly lifeline: string;
  readonly hubWords: SharedArrayBuffer;
  readonly pulse: string;
}

// What a thread that was started to be the hub tells who started it, by one word.
export const UNDECIDED = 0;
export const IS_HUB = 1;
export const ANOTHER_IS_HUB = 2;
export const CANNOT_BE = 3;

export interface HubThreadData {
  /** One of the above. */
  readonly verdict: SharedArrayBuffer;
  /** Whether it was started by the main thread, and so ends with the process. */
  readonly isEndless: boolean;
}

/** The one address of this process. */
export function hubAddress(): string {
  return socketAddress(`memory-${process.pid}-${performance.timeOrigin}`);
}
