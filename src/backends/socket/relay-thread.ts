/**
 * The program of a thread that speaks with the broker for another one, which may be blocked: it moves bytes between the rings
 * of a line and a connection. What the thread has written counts as read when the system has it, so that from then on it
 * survives whatever becomes of this process.
 */

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

import { RingReader } from '../brokered/rings/byte-ring.js';
import { HubSleep } from '../brokered/rings/hub-bell.js';
import {
  OVER,
  RING_BYTES,
  STATE,
  TO_HUB_HEAD,
  TO_HUB_TAIL,
  viewsOf,
} from '../brokered/rings/line-memory.js';
import type { LineMemory } from '../brokered/rings/line-memory.js';
import { RingOutput } from '../brokered/rings/ring-output.js';
import { Spinning } from '../brokered/rings/spinning.js';
import { ThreadBell } from '../brokered/rings/thread-bell.js';
import { ANSWERED, ASKED, CONNECTED, ENDED, FAILED, NOBODY, OUTCOME } from './relay-words.js';
import type { RelayData } from './relay-words.js';
import { errorCode } from './socket-directory.js';

/** It turns without sleep for so long after the last bytes, where that pays: a wake takes 40 us. */
const LINGER_MS = 0.2;
/** What the thread has not read: with more of it, nothing more is read for it. */
const MAX_BACKLOG_BYTES = 2 ** 20;

class Relay {
  readonly #socket: Socket;
  readonly #words: Int32Array;
  readonly #relayWords: Int32Array;
  readonly #in: RingReader;
  readonly #out: RingOutput;
  readonly #bell: ThreadBell;
  readonly #sleep: HubSleep;
  readonly #chunk = Buffer.allocUnsafeSlow(RING_BYTES);
  readonly #spinning = new Spinning();
  #lingersUntil = 0;
  #isLingering = false;
  #willWork = false;
  /** The system has not taken all of what was read last. */
  #isWriting = false;
  /** How often the thread had asked, when that was seen last. */
  #asked = 0;
  /** Nothing more will come from the broker. */
  #isEnding = false;

  constructor(memory: LineMemory, hubWords: Int32Array, relayWords: Int32Array, socket: Socket) {
    const { words, toHub } = memory;
    this.#socket = socket;
    this.#words = words;
    this.#relayWords = relayWords;
    this.#in = new RingReader(words, TO_HUB_TAIL, TO_HUB_HEAD, toHub);
    this.#bell = new ThreadBell(words);
    this.#out = new RingOutput(memory, this.#bell);
    this.#sleep = new HubSleep(hubWords, () => this.#work());
    socket.on('data', (bytes) => this.#came(bytes));
    socket.on('close', () => this.#ended());
    this.#work();
  }

  #came(bytes: Buffer): void {
    this.#out.write(bytes);
    if (this.#out.backlogBytes > MAX_BACKLOG_BYTES) this.#socket.pause();
    // Whoever gets an answer has something more to say soon.
    this.#linger();
    this.#workSoon();
  }

  #linger(): void {
    if (!this.#isLingering && !this.#spinning.isWorthTrying()) return;
    this.#isLingering = true;
    this.#lingersUntil = performance.now() + LINGER_MS;
  }

  #workSoon(): void {
    if (this.#willWork) return;
    this.#willWork = true;
    setImmediate(() => {
      this.#willWork = false;
      this.#work();
    });
  }

  /** Does what there is to do; then it turns for a while, and then it sleeps. Connections are read in between. */
  #work(): void {
    this.#sleep.enter();
    if (this.#serve()) {
      if (this.#isLingering) this.#spinning.tried(true);
      this.#linger();
    } else if (this.#isLingering && performance.now() > this.#lingersUntil) {
      this.#spinning.tried(false);
      this.#isLingering = false;
    }
    if (this.#isLingering) {
      this.#workSoon();
      return;
    }
    this.#sleep.leave();
    if (this.#serve()) this.#workSoon();
    else this.#sleep.sleep();
  }

  #serve(): boolean {
    this.#answer();
    const hasSent = this.#out.sendBacklog();
    if (this.#out.backlogBytes === 0) {
      if (this.#isEnding) this.#sayOver();
      if (this.#socket.isPaused()) this.#socket.resume();
    }
    return this.#forward() || hasSent;
  }

  /** Hands on what the thread has written. One piece at a time: the next is read when the system has this one. */
  #forward(): boolean {
    if (this.#isWriting || this.#isEnding) return false;
    let length: number;
    try {
      length = this.#in.copy(this.#chunk);
    } catch {
      // It says what cannot be.
      this.#socket.destroy();
      return false;
    }
    if (length === 0) return false;
    this.#isWriting = true;
    const isTaken = () => {
      this.#isWriting = false;
      this.#in.release(length);
      this.#bell.read();
    };
    let isTakenAtOnce = false;
    this.#socket.write(this.#chunk.subarray(0, length), (error) => {
      // What a broken connection did not take was not read; its end comes.
      if (isTakenAtOnce || error != null) return;
      isTaken();
      this.#workSoon();
    });
    // Then the thread need not wait for a turn of this one.
    isTakenAtOnce = this.#socket.writableLength === 0;
    if (isTakenAtOnce) isTaken();
    return true;
  }

  /** Whether the connection still is: by now the event loop has heard of an end that there was when it was asked. */
  #answer(): void {
    const asked = Atomics.load(this.#relayWords, ASKED);
    if (asked === this.#asked) return;
    this.#asked = asked;
    setImmediate(() =>
      setImmediate(() => {
        Atomics.store(this.#relayWords, ANSWERED, asked);
        Atomics.notify(this.#relayWords, ANSWERED);
      }),
    );
  }

  /** What it said last is told first. */
  #ended(): void {
    this.#isEnding = true;
    sayEnded(this.#relayWords);
    this.#workSoon();
  }

  #sayOver(): void {
    Atomics.store(this.#words, STATE, OVER);
    this.#bell.written();
    process.exit();
  }
}

/** Whoever waits for an answer looks again. */
function sayEnded(relayWords: Int32Array): void {
  Atomics.store(relayWords, ENDED, 1);
  Atomics.notify(relayWords, ANSWERED);
}

const { address, memory, hubWords, relayWords: shared } = workerData as RelayData;
const relayWords = new Int32Array(shared);

function say(outcome: number): void {
  Atomics.store(relayWords, OUTCOME, outcome);
  Atomics.notify(relayWords, OUTCOME);
}

function couldNot(error: Error): void {
  const code = errorCode(error);
  say(code === 'ENOENT' || code === 'ECONNREFUSED' ? NOBODY : FAILED);
}

// A socket that is not read, since its thread has not read either, keeps nothing alive.
parentPort?.ref();
process.on('exit', () => sayEnded(relayWords));
const socket = connect({ path: address });
socket.on('error', couldNot);
socket.on('connect', () => {
  socket.off('error', couldNot);
  socket.on('error', () => {}); // 'close' follows
  new Relay(viewsOf(memory), new Int32Array(hubWords), relayWords, socket);
  say(CONNECTED);
});
