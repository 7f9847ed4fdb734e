import { InterprocError, invalidArgument } from '../errors.js';
import type { Backend, BackendKind, OpenMode } from '../contract/channel.js';
import { STATE_DEFAULTS } from '../contract/state.js';
import type { State, StateKind } from '../contract/state.js';
import type { QueueMode } from './queue-options.js';
import type { WaitOptions } from './wait-options.js';

/**
 * How an object of state is made: a value, an array, memory, a list. Fixed at creation and kept in the object: who opens it
 * later need not repeat them, and gets ERR_MISMATCH for others than it was created with.
 */
export interface StateHandleOptions {
  /**
   * Keeps the object when nobody has it open, until `unlink()` or `rm`. Not for anonymous ones.
   * @default false: it goes with its last participant
   */
  readonly persist?: boolean | undefined;
  /**
   * How many handles, in all processes, may have it open at once: 1-256.
   * @default 64
   */
  readonly maxParticipants?: number | undefined;
  /**
   * What holds it.
   * @default the one of this process, `backend.kind`: 'native', shared memory, wherever the addon loads
   */
  readonly backend?: BackendKind | undefined;
}

const OPTION_NAMES: readonly (keyof StateHandleOptions)[] = [
  'persist',
  'maxParticipants',
  'backend',
];
const WAIT_OPTION_NAMES: readonly (keyof WaitOptions)[] = ['timeoutMs', 'signal'];
const MAX_PARTICIPANTS = 256;

/** What a kind of state is called in messages: 'a value'. */
export interface Opening {
  readonly kind: StateKind;
  readonly article: string;
  readonly mode: QueueMode;
  readonly name: string | undefined;
  /** Names of options that it takes besides those of every state. */
  readonly alsoTakes: readonly string[];
}

/**
 * Refuses options that no object of this kind has, and values that an option does not take.
 * @throws ERR_INVALID_ARG
 */
export function checkStateOptions(options: unknown, opening: Opening): StateHandleOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', 'an object such as { persist: true }', options);
  }
  const known: readonly string[] = [...OPTION_NAMES, ...opening.alsoTakes];
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `${opening.article} has no option '${option}'; it has ${known.join(', ')}`,
    );
  }
  const { persist, maxParticipants } = options as StateHandleOptions;
  if (persist !== undefined && typeof persist !== 'boolean') {
    throw invalidArgument('persist', 'true or false', persist);
  }
  if (persist === true && opening.mode === 'anonymous') {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `${opening.article} without a name goes with its last participant and cannot persist; create it by a name`,
    );
  }
  const fits =
    maxParticipants === undefined ||
    (Number.isInteger(maxParticipants) &&
      maxParticipants >= 1 &&
      maxParticipants <= MAX_PARTICIPANTS);
  if (!fits) {
    throw invalidArgument(
      'maxParticipants',
      `a whole number from 1 to ${MAX_PARTICIPANTS}`,
      maxParticipants,
    );
  }
  return options as StateHandleOptions;
}

/** The names of the options of `openWhenAvailable`. */
export const ALSO_WAITS: readonly string[] = WAIT_OPTION_NAMES;

/** What the bytes of a new object are, or what those of one that is there must be. */
export interface StateContents {
  readonly byteLength: number;
  readonly schema: string;
  readonly parameter: number;
}

/**
 * Opens or makes the state. `contents` undefined: whatever is there, for `open`.
 * @throws ERR_MISMATCH if something is there that disagrees; as `Backend.openState`
 */
export function openStateOf(
  backend: Backend,
  opening: Opening,
  options: StateHandleOptions,
  contents: StateContents | undefined,
  describe: (geometry: StateContents) => string,
  initial?: Uint8Array,
): State {
  const { kind, mode, name } = opening;
  const openMode: OpenMode = mode === 'anonymous' ? 'create' : mode;
  const state = backend.openState(
    name,
    openMode,
    {
      kind,
      byteLength: contents?.byteLength ?? 0,
      schema: contents?.schema ?? '',
      parameter: contents?.parameter ?? 0,
      persist: options.persist ?? false,
      maxParticipants: options.maxParticipants ?? STATE_DEFAULTS.maxParticipants,
    },
    initial,
  );
  const difference = disagreement(state, options, contents, describe);
  if (difference === undefined) return state;
  state.close();
  throw new InterprocError(
    'ERR_MISMATCH',
    `${openMode} '${state.name}': ${difference}; ask for what it was created with, or open it by its name alone`,
  );
}

function disagreement(
  state: State,
  options: StateHandleOptions,
  contents: StateContents | undefined,
  describe: (geometry: StateContents) => string,
): string | undefined {
  const { geometry } = state;
  for (const option of ['persist', 'maxParticipants'] as const) {
    const asked = options[option];
    if (asked !== undefined && asked !== geometry[option]) {
      return `${option} is ${geometry[option]} there, ${asked} was asked for`;
    }
  }
  if (contents === undefined) return undefined;
  const [there, asked] = [describe(geometry), describe(contents)];
  return there === asked ? undefined : `${there} is there, ${asked} was asked for`;
}
