/** The program of the thread that is the hub of its process. It ends with the thread that started it. */

import { createServer } from 'node:net';
import { BroadcastChannel, workerData } from 'node:worker_threads';

import { Hub } from '../brokered/hub/hub.js';
import { HubSleep, newHubWords } from '../brokered/rings/hub-bell.js';
import { HubLine } from './hub-line.js';
import {
  LAYOUT_VERSION,
  LINE_BYTES,
  REFUSED,
  STATE,
  viewsOf,
} from '../brokered/rings/line-memory.js';
import { ENDLESS, beginPulse } from './pulse.js';
import { ANOTHER_IS_HUB, CANNOT_BE, CHANNEL, IS_HUB, hubAddress } from './rendezvous.js';
import type { Answer, HubThreadData, Offer } from './rendezvous.js';
import { Spinning } from '../brokered/rings/spinning.js';

/** It looks for more for so long after the last thing it had to do: whoever it answered last needs as long to come back, if he slept. */
const LINGER_MS = 0.1;
/** After so much work the event loop has its turn. */
const TURN_MS = 1;

const { isEndless, verdict: shared } = workerData as HubThreadData;
const verdict = new Int32Array(shared);

class HubThread {
  readonly #hub = new Hub();
  readonly #words = newHubWords();
  readonly #pulse = isEndless ? ENDLESS : beginPulse();
  readonly #lines = new Set<HubLine>();
  /** By the addresses of their lifelines: an offer may come twice. */
  readonly #known = new Set<string>();
  readonly #spinning = new Spinning();
  /** To be called after every line has been looked at. */
  #catchingUp: (() => void)[] = [];
  readonly #sleep = new HubSleep(this.#words, () => this.#work());

  constructor(channel: BroadcastChannel) {
    channel.onmessage = (event) => {
      const { data } = event as { readonly data: unknown };
      if (isOffer(data)) this.#meet(data, channel);
    };
    this.#work();
  }

  #meet({ layout, memory, lifeline }: Offer, channel: BroadcastChannel): void {
    if (layout !== LAYOUT_VERSION || memory.byteLength !== LINE_BYTES) {
      const words = new Int32Array(memory);
      Atomics.store(words, STATE, REFUSED);
      Atomics.notify(words, STATE);
      return;
    }
    if (this.#known.has(lifeline)) return;
    this.#known.add(lifeline);
    const line = new HubLine(this.#hub, viewsOf(memory), lifeline, {
      catchUp: (then) => this.#catchingUp.push(then),
      lost: () => {
        this.#lines.delete(line);
        this.#known.delete(lifeline);
        // Its thread may have been about to wake this one.
        this.#work();
      },
    });
    this.#lines.add(line);
    const answer: Answer = {
      kind: 'answer',
      lifeline,
      hubWords: this.#words.buffer as SharedArrayBuffer,
      pulse: this.#pulse,
    };
    channel.postMessage(answer);
    line.accept();
    this.#work();
  }

  /** Does what there is to do, and then sleeps. */
  #work(): void {
    this.#sleep.enter();
    const until = performance.now() + TURN_MS;
    while (performance.now() < until) {
      if (this.#serve() || this.#servesSoon()) continue;
      this.#sleep.leave();
      if (!this.#serve()) {
        this.#sleep.sleep();
        return;
      }
      this.#sleep.enter();
    }
    setImmediate(() => this.#work());
  }

  #servesSoon(): boolean {
    if (!this.#spinning.isWorthTrying()) return false;
    const until = performance.now() + LINGER_MS;
    let isBusy = false;
    while (!isBusy && performance.now() < until) isBusy = this.#serve();
    this.#spinning.tried(isBusy);
    return isBusy;
  }

  #serve(): boolean {
    const caughtUp = this.#catchingUp;
    this.#catchingUp = [];
    let isBusy = caughtUp.length > 0;
    for (const line of this.#lines) if (line.serve()) isBusy = true;
    for (const then of caughtUp) then();
    return isBusy;
  }
}

/** Anybody may say anything on that channel. */
function isOffer(data: unknown): data is Offer {
  if (typeof data !== 'object' || data === null) return false;
  const { kind, memory, lifeline } = data as Partial<Record<keyof Offer, unknown>>;
  const isMemory = memory instanceof SharedArrayBuffer && memory.byteLength >= 4 * (STATE + 1);
  return kind === 'offer' && isMemory && typeof lifeline === 'string';
}

function say(what: number): void {
  Atomics.store(verdict, 0, what);
  Atomics.notify(verdict, 0);
}

// Heard before the address is this thread's, so that whoever finds it taken finds a hub that hears him.
const channel = new BroadcastChannel(CHANNEL);
const seat = createServer((connection) => connection.destroy());
seat.on('error', (error: NodeJS.ErrnoException) => {
  channel.close();
  say(error.code === 'EADDRINUSE' ? ANOTHER_IS_HUB : CANNOT_BE);
});
seat.listen({ path: hubAddress(), exclusive: true }, () => {
  // It lives as long as the seat listens, which is as long as its thread is let.
  new HubThread(channel);
  say(IS_HUB);
});
