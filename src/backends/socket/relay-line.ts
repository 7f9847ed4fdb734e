/**
 * A line over a connection that another thread holds: where Node gives no descriptor of a socket, a thread that blocks can
 * neither read nor write one. Each line has a relay of its own, which ends with the thread whose line it is.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { InterprocError } from '../../errors.js';
import { newHubWords, ringHub } from '../brokered/rings/hub-bell.js';
import { newLineMemory } from '../brokered/rings/line-memory.js';
import type { Partner } from '../brokered/rings/partner.js';
import { ThreadLine } from '../brokered/rings/thread-line.js';
import {
  ANSWERED,
  ASKED,
  CONNECTED,
  CONNECTING,
  ENDED,
  NOBODY,
  OUTCOME,
  newRelayWords,
} from './relay-words.js';
import type { RelayData } from './relay-words.js';

/** Of one sleep, so that V8 can end the thread in between. */
const SLICE_MS = 50;
/** A thread that does not start, or does not answer, for so long is given up. */
const PATIENCE_MS = 10_000;

export class RelayLine extends ThreadLine {
  readonly #relay: Relay;

  /**
   * To a pipe that somebody listens at; 'nobody': who did is dead, undefined: it could not be reached now.
   *
   * @throws ERR_UNSUPPORTED
   */
  static to(address: string, patienceMs: number): RelayLine | 'nobody' | undefined {
    const relay = new Relay(address);
    const outcome = relay.outcome();
    if (outcome === CONNECTED) return new RelayLine(relay, patienceMs);
    relay.close();
    return outcome === NOBODY ? 'nobody' : undefined;
  }

  private constructor(relay: Relay, patienceMs: number) {
    // What is in a ring only would be lost with this process.
    super(relay.memory, relay.hubWords, relay, { isConfirmed: true, patienceMs });
    this.#relay = relay;
  }

  /** Whether the broker still has its end; asks the relay's event loop. */
  isConnected(): boolean {
    return this.#relay.isConnected();
  }
}

/** The thread that holds the connection. */
class Relay implements Partner {
  onEnd: () => void = () => {};
  readonly cause = 'it hung up';
  readonly memory = newLineMemory();
  readonly hubWords = newHubWords();
  readonly #words = newRelayWords();
  readonly #thread: Worker;

  constructor(address: string) {
    const file = programFile();
    if (!existsSync(file)) {
      throw new InterprocError(
        'ERR_UNSUPPORTED',
        `The socket backend starts a thread with '${file}', which is not there; build the package, or leave it out of the bundle`,
      );
    }
    const workerData: RelayData = {
      address,
      memory: this.memory.shared,
      hubWords: this.hubWords.buffer as SharedArrayBuffer,
      relayWords: this.#words.buffer as SharedArrayBuffer,
    };
    // Of the program's own settings it wants none: they may load what it has no use for.
    this.#thread = new Worker(file, { name: 'interproc-relay', workerData, execArgv: [], env: {} });
    this.#thread.on('error', () => {});
    this.#thread.on('exit', () => this.onEnd());
    this.#thread.unref();
  }

  outcome(): number {
    this.#awaitChange(OUTCOME, CONNECTING);
    return Atomics.load(this.#words, OUTCOME);
  }

  isConnected(): boolean {
    const before = Atomics.load(this.#words, ANSWERED);
    Atomics.add(this.#words, ASKED, 1);
    ringHub(this.hubWords);
    this.#awaitChange(ANSWERED, before);
    return !this.hasEnded();
  }

  /** Until the word is another, or the relay has ended, or has been given up. */
  #awaitChange(index: number, from: number): void {
    for (let slept = 0; slept < PATIENCE_MS && !this.hasEnded(); slept += SLICE_MS) {
      if (Atomics.wait(this.#words, index, from, SLICE_MS) !== 'timed-out') return;
    }
  }

  hasEnded(): boolean {
    return Atomics.load(this.#words, ENDED) === 1;
  }

  ref(): void {
    this.#thread.ref();
  }

  unref(): void {
    this.#thread.unref();
  }

  close(): void {
    void this.#thread.terminate();
  }
}

/** The built one, also for sources that run as they are. */
function programFile(): string {
  const here = import.meta.url.replace('/src/backends/', '/dist/backends/');
  return fileURLToPath(new URL('relay-thread.js', here));
}
