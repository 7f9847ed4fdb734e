/** How a thread finds the hub of its process, or starts it. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  BroadcastChannel,
  Worker,
  getEnvironmentData,
  isMainThread,
  receiveMessageOnPort,
  setEnvironmentData,
} from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

import { InterprocError } from '../../errors.js';
import { Link } from '../brokered/remote/link.js';
import { HubLife } from './hub-life.js';
import { Lifeline } from './lifeline.js';
import {
  LAYOUT_VERSION,
  OFFERED,
  REFUSED,
  STATE,
  newLineMemory,
} from '../brokered/rings/line-memory.js';
import type { LineMemory } from '../brokered/rings/line-memory.js';
import { hasStopped } from './pulse.js';
import {
  ANOTHER_IS_HUB,
  CANNOT_BE,
  CHANNEL,
  HINT,
  IS_HUB,
  UNDECIDED,
  hubAddress,
} from './rendezvous.js';
import type { Answer, HubThreadData, Offer } from './rendezvous.js';
import { ThreadLine } from '../brokered/rings/thread-line.js';

/** Of one sleep, so that V8 can end the thread in between. */
const SLICE_MS = 50;
/** Waited for the answer of a hub that there may be, before a thread is started that may become one. */
const STRANGER_MS = 5;
/** After so much waiting in vain it looks whether the hub is still there. */
const PROBE_MS = 1000;
/** A thread that does not start, or a hub that does not answer, for so long is given up. */
const PATIENCE_MS = 30_000;

/** A link, and the pulse of the hub that it leads to. */
export interface Joined {
  readonly link: Link;
  readonly pulse: string;
}

/** Whether there is a hub that could be joined. */
export function isHubThere(): boolean {
  return !hasStopped(hubAddress());
}

/** @throws ERR_SYSTEM, ERR_VERSION, ERR_BROKER, ERR_UNSUPPORTED */
export function joinHub(): Joined {
  const memory = newLineMemory();
  const lifeline = new Lifeline();
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  try {
    const { hubWords, pulse } = meet(memory, lifeline.address, channel);
    // Workers that this thread starts from now on know where there is one.
    setEnvironmentData(HINT, pulse);
    const line = new ThreadLine(memory, new Int32Array(hubWords), new HubLife(lifeline, pulse));
    return { link: new Link(line), pulse };
  } catch (error) {
    lifeline.close();
    throw error;
  } finally {
    channel.close();
  }
}

function meet(memory: LineMemory, lifeline: string, channel: BroadcastChannel): Answer {
  const offer: Offer = {
    kind: 'offer',
    layout: LAYOUT_VERSION,
    memory: memory.shared,
    lifeline,
  };
  const { words } = memory;
  channel.postMessage(offer);
  let isAnswered = isChanged(words, STATE, OFFERED, STRANGER_MS);
  for (let waited = 0; !isAnswered && waited < PATIENCE_MS; waited += PROBE_MS) {
    if (!isKnownToLive(getEnvironmentData(HINT))) {
      startHub();
      channel.postMessage(offer);
    }
    isAnswered = isChanged(words, STATE, OFFERED, PROBE_MS);
  }
  const state = Atomics.load(words, STATE);
  if (state === REFUSED) {
    throw new InterprocError(
      'ERR_VERSION',
      'Another version of interproc has the memory backend of this process; let all of its threads use one version',
    );
  }
  const answer = state === OFFERED ? undefined : answerTo(lifeline, channel);
  if (answer !== undefined) return answer;
  throw new InterprocError(
    'ERR_BROKER',
    `The hub of the memory backend has not answered for ${PATIENCE_MS / 1000} s; let the main thread of the process be the first to use it, since it ends with the thread that started it`,
  );
}

function isKnownToLive(pulse: unknown): boolean {
  return typeof pulse === 'string' && !hasStopped(pulse);
}

/** Starts a thread that will be the hub, unless another is quicker. @throws ERR_UNSUPPORTED, ERR_SYSTEM, ERR_BROKER */
function startHub(): void {
  const file = programFile();
  if (!existsSync(file)) {
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `The memory backend starts a thread with '${file}', which is not there; build the package, or leave it out of the bundle`,
    );
  }
  const verdict = new Int32Array(new SharedArrayBuffer(4));
  const workerData: HubThreadData = {
    verdict: verdict.buffer as SharedArrayBuffer,
    isEndless: isMainThread,
  };
  // Of the program's own settings it wants none: they may load what it has no use for.
  const thread = new Worker(file, { name: 'interproc-hub', workerData, execArgv: [], env: {} });
  // What became of it, the lifelines tell.
  thread.on('error', () => {});
  thread.unref();
  isChanged(verdict, 0, UNDECIDED, PATIENCE_MS);
  const said = Atomics.load(verdict, 0);
  if (said === IS_HUB || said === ANOTHER_IS_HUB) return;
  throw said === CANNOT_BE
    ? new InterprocError(
        'ERR_SYSTEM',
        'The thread that was to be the hub of the memory backend could not listen at a local socket, by which the threads of a process agree on one',
      )
    : new InterprocError(
        'ERR_BROKER',
        `The thread that was to be the hub of the memory backend has not started in ${PATIENCE_MS / 1000} s`,
      );
}

/** The built one, also for sources that run as they are. */
function programFile(): string {
  const here = import.meta.url.replace('/src/backends/', '/dist/backends/');
  return fileURLToPath(new URL('hub-thread.js', here));
}

/** Blocks until the word is another, or the time has passed: false. */
function isChanged(words: Int32Array, index: number, from: number, timeoutMs: number): boolean {
  for (let slept = 0; slept < timeoutMs; slept += SLICE_MS) {
    if (Atomics.wait(words, index, from, Math.min(SLICE_MS, timeoutMs)) !== 'timed-out')
      return true;
  }
  return Atomics.load(words, index) !== from;
}

/** It is there before the state says ACCEPTED. */
function answerTo(lifeline: string, channel: BroadcastChannel): Answer | undefined {
  for (;;) {
    // Node takes a BroadcastChannel as well; its types do not know.
    const received = receiveMessageOnPort(channel as unknown as MessagePort) as
      { readonly message: Partial<Answer> | null } | undefined;
    if (received === undefined) return undefined;
    const { message } = received;
    if (message?.kind === 'answer' && message.lifeline === lifeline) return message as Answer;
  }
}
