/**
 * The protocol of journals, in all interleavings of a client, its hub, what is on its way between them, and the time. What is modelled
 * are the steps of journal-writer.ts and journals.ts that another side can see; that a client dies between any two of them; and that an
 * append shows in halves.
 *
 * A word is said when its last step is over. What must hold: what the hub hears is what was said, in order, at all times; and where
 * nothing can happen any more, nothing that was said is unheard.
 */

import { expect, it } from 'vitest';

/** Of the client's program: words that may go to the journal, those that somebody waits for, and what must go over the line. */
const PROGRAMS = ['www', 'wrw', 'wwrw', 'rww', 'wrrw', 'wnw', 'nwn', 'wnrw'];

interface State {
  /** Steps of the program that are over, and how far the next one is. */
  readonly done: number;
  readonly step: 'begin' | 'append' | 'rest' | 'check' | 'line';
  readonly mode: 'idle' | 'open' | 'ended';
  /** In halves of words: an even number is whole ones. */
  readonly file: readonly string[];
  /** What the hub has read of it. */
  readonly read: number;
  /** On its way to the hub, and to the client. */
  readonly line: readonly string[];
  readonly replies: readonly string[];
  /** The client's lease is over; and the hub's, which begins later and is as long. */
  readonly isLeaseOver: boolean;
  readonly isHubLeaseOver: boolean;
  readonly isHubOpen: boolean;
  /** Looks now and then. */
  readonly isWatched: boolean;
  readonly isDead: boolean;
  readonly isGone: boolean;
  readonly heard: readonly string[];
}

const BEGIN: State = {
  done: 0,
  step: 'begin',
  mode: 'idle',
  file: [],
  read: 0,
  line: [],
  replies: [],
  isLeaseOver: false,
  isHubLeaseOver: false,
  isHubOpen: false,
  isWatched: false,
  isDead: false,
  isGone: false,
  heard: [],
};

/** What may be left out, to see that the model finds it. */
interface Faults {
  readonly checksBeforeAppending?: boolean;
  readonly goesOnBeforeEmpty?: boolean;
  readonly looksNoMore?: boolean;
  readonly forgetsTheDead?: boolean;
  readonly leavesWithoutUpTo?: boolean;
  readonly hearsHalves?: boolean;
  readonly tellsNobody?: boolean;
}

/** The hub hears all that is in the file, whole words only: a half would be something else. */
function look(state: State, faults: Faults): State {
  const whole = faults.hearsHalves === true ? state.file.length : state.file.length & ~1;
  const words: string[] = [];
  for (let at = state.read; at < whole; at += 2) {
    words.push(at + 1 < whole ? (state.file[at] as string) : 'half');
  }
  return { ...state, read: Math.max(whole, state.read), heard: [...state.heard, ...words] };
}

function clientSteps(state: State, program: string, faults: Faults): State[] {
  if (state.isDead) return [];
  const next: State[] = [{ ...state, isDead: true }];
  const [reply, ...replies] = state.replies;
  if (reply === 'empty') next.push({ ...state, replies, mode: 'idle' });
  const name = program.slice(state.done, state.done + 1) + String(state.done);
  const over = { ...state, done: state.done + 1, step: 'begin' as const };
  const go = { line: [...state.line, 'go'], isLeaseOver: false, isHubLeaseOver: false };
  const upTo = { line: [...state.line, 'upTo'], mode: 'ended' as const };
  switch (state.step) {
    case 'begin':
      if (state.done === program.length) return next;
      if (program[state.done] === 'r') {
        const isLeft = state.mode === 'open' && faults.leavesWithoutUpTo !== true;
        next.push({ ...state, ...(isLeft && upTo), step: 'line' });
      } else if (state.mode === 'open') {
        // Whatever kind of word it is, all that comes behind the journal would come before what stands in it.
        const isRung = faults.checksBeforeAppending === true && state.isLeaseOver;
        next.push({ ...state, ...(isRung && go), step: 'append' });
      } else if (
        program[state.done] === 'w' &&
        (state.mode === 'idle' || faults.goesOnBeforeEmpty === true)
      ) {
        next.push({ ...state, ...go, mode: 'open', step: 'append' });
        // It may not be fast, too.
        next.push({ ...state, step: 'line' });
      } else next.push({ ...state, step: 'line' });
      return next;
    case 'append':
      next.push({ ...state, file: [...state.file, name], step: 'rest' });
      return next;
    case 'rest':
      next.push({ ...state, file: [...state.file, ''], step: 'check' });
      return next;
    case 'check':
      if (program[state.done] === 'n' && faults.tellsNobody !== true) {
        next.push({ ...over, ...go }, { ...over, ...upTo });
      } else if (program[state.done] === 'n') next.push(over);
      else if (!state.isLeaseOver || faults.checksBeforeAppending === true) next.push(over);
      else next.push({ ...over, ...go }, { ...over, ...upTo });
      return next;
    case 'line':
      next.push({ ...over, line: [...state.line, name] });
      return next;
  }
}

function hubSteps(state: State, faults: Faults): State[] {
  const next: State[] = [];
  const [first, ...line] = state.line;
  if (first === 'go') {
    next.push(look({ ...state, line, isHubOpen: true, isWatched: true }, faults));
  } else if (first === 'upTo') {
    const heard = look({ ...state, line }, faults);
    const replies = [...state.replies, 'empty'];
    next.push({ ...heard, isHubOpen: false, isWatched: false, file: [], read: 0, replies });
  } else if (first !== undefined) {
    next.push({ ...state, line, heard: [...state.heard, first] });
  } else if (state.isDead && !state.isGone) {
    const isRead = state.isHubOpen && faults.forgetsTheDead !== true;
    const last = isRead ? look(state, faults) : state;
    next.push({ ...last, isGone: true, isWatched: false, isHubOpen: false });
  }
  if (state.isWatched) {
    const isLast = state.isHubLeaseOver;
    const heard = isLast && faults.looksNoMore === true ? state : look(state, faults);
    if (heard.read !== state.read || isLast) next.push({ ...heard, isWatched: !isLast });
  }
  return next;
}

function timeSteps(state: State): State[] {
  if (!state.isLeaseOver) return [{ ...state, isLeaseOver: true }];
  // The hub's begins when it hears of the last GO.
  const isBegun = state.isWatched && !state.line.includes('go');
  return isBegun && !state.isHubLeaseOver ? [{ ...state, isHubLeaseOver: true }] : [];
}

/** How many states there are; or what is wrong in one. */
function explore(program: string, faults: Faults = {}): number | string {
  const names = [...program].map((kind, i) => kind + String(i));
  const seen = new Set([JSON.stringify(BEGIN)]);
  const open = [BEGIN];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (state.heard.some((name, i) => name !== names[i])) return `heard ${String(state.heard)}`;
    const next = [
      ...clientSteps(state, program, faults),
      ...hubSteps(state, faults),
      ...timeSteps(state),
    ];
    const isAtRest = next.every(({ isDead }) => isDead && !state.isDead);
    if (isAtRest && state.heard.length < state.done) return `unheard of ${state.done} words`;
    for (const one of next) {
      const key = JSON.stringify(one);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(one);
    }
  }
  return seen.size;
}

it.each(PROGRAMS)('keeps every word, in order: %s', (program) => {
  expect(explore(program)).toBeGreaterThan(500);
});

it.each<keyof Faults>([
  'checksBeforeAppending',
  'goesOnBeforeEmpty',
  'looksNoMore',
  'forgetsTheDead',
  'leavesWithoutUpTo',
  'hearsHalves',
  'tellsNobody',
])('would find a protocol that %s', (fault) => {
  const found = PROGRAMS.map((program) => explore(program, { [fault]: true }));
  expect(found).toContainEqual(expect.any(String));
});
