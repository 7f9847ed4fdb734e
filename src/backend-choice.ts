/** Which backend a process uses, and why: what was asked for, else shared memory, else what works everywhere. */

import { inspect } from 'node:util';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

import { InterprocError, invalidArgument } from './errors.js';
import { absentIn } from './contract/capabilities.js';
import type { Capabilities } from './contract/capabilities.js';
import { BACKEND_KINDS } from './contract/channel.js';
import type { Backend, BackendKind } from './contract/channel.js';

/** Of this process, or its thread. */
const VARIABLE = 'INTERPROC_BACKEND';
const FALLBACK: BackendKind = 'socket';
const WARNING = 'INTERPROC_FALLBACK';
/** Of the environment data that workers get from who starts them: a word that is 1 when it has been said. */
const WARNED = 'interproc.fallback-warned';

/** Makes a backend. @throws ERR_UNSUPPORTED if it cannot work here */
export type Makers = Readonly<Record<BackendKind, () => Backend>>;

interface Choice {
  readonly backend: Backend;
  readonly reason: string;
}

/** The backend of this process: where what is created without the option `backend` lives. */
export interface ChosenBackend {
  readonly kind: BackendKind;
  /** A sentence: why this one. */
  readonly reason: string;
  /** What it can do. What it cannot is refused with ERR_UNSUPPORTED, by these names. */
  readonly capabilities: Capabilities;
}

const KINDS = BACKEND_KINDS.map((kind) => `'${kind}'`).join(', ');

function isKind(kind: unknown): kind is BackendKind {
  return (BACKEND_KINDS as readonly unknown[]).includes(kind);
}

export class BackendChoice {
  readonly #makers: Makers;
  readonly #made = new Map<BackendKind, Backend>();
  readonly #warned = warnedWord();
  #choice: Choice | undefined;

  constructor(makers: Makers) {
    this.#makers = makers;
  }

  /** Of an option `backend`: that one, else the one of this process. @throws ERR_INVALID_ARG, ERR_UNSUPPORTED */
  readonly select = (kind?: BackendKind): Backend => {
    if (kind === undefined) return this.chosen.backend;
    if (!isKind(kind)) throw invalidArgument('backend', KINDS, kind);
    return this.#make(kind);
  };

  /**
   * Decided at first use, and for good: what lives there cannot move.
   *
   * @throws ERR_INVALID_ARG if INTERPROC_BACKEND names none; ERR_UNSUPPORTED if the one that it names cannot work here
   */
  get chosen(): Choice {
    return (this.#choice ??= this.#choose());
  }

  #make(kind: BackendKind): Backend {
    let backend = this.#made.get(kind);
    if (backend === undefined) this.#made.set(kind, (backend = this.#makers[kind]()));
    return backend;
  }

  #choose(): Choice {
    const asked = process.env[VARIABLE] ?? '';
    if (asked !== '') {
      if (!isKind(asked)) throw invalidArgument(VARIABLE, KINDS, asked);
      return { backend: this.#make(asked), reason: `${VARIABLE}=${asked} asks for it.` };
    }
    try {
      const backend = this.#make('native');
      return { backend, reason: `The native addon loads, and ${VARIABLE} is not set.` };
    } catch (error) {
      if (!(error instanceof InterprocError) || error.code !== 'ERR_UNSUPPORTED') throw error;
      const backend = this.#make(FALLBACK);
      if (Atomics.exchange(this.#warned, 0, 1) === 0) warn(backend, error.message);
      return { backend, reason: `It works without the native addon. ${error.message}.` };
    }
  }
}

/** The same one in this thread and all that are started after this, so that one of them speaks for all. */
function warnedWord(): Int32Array {
  const known = getEnvironmentData(WARNED) as unknown;
  if (known instanceof SharedArrayBuffer) return new Int32Array(known);
  const word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setEnvironmentData(WARNED, word.buffer);
  return word;
}

function warn({ kind, capabilities }: Backend, problem: string): void {
  process.emitWarning(
    `${problem}. Objects live on the slower backend '${kind}' instead, without ${absentIn(capabilities).join(', ')}, and cannot be shared with processes where the addon loads. ${VARIABLE}=${kind} says that this is wanted`,
    { type: 'InterprocWarning', code: WARNING },
  );
}

/** What users see of a choice. It is made when they look. */
export function describing(choice: BackendChoice): ChosenBackend {
  return {
    get kind() {
      return choice.chosen.backend.kind;
    },
    get reason() {
      return choice.chosen.reason;
    },
    get capabilities() {
      return choice.chosen.backend.capabilities;
    },
    [inspect.custom]() {
      const { kind, reason, capabilities } = this as ChosenBackend;
      return { kind, reason, capabilities };
    },
  } as ChosenBackend;
}
