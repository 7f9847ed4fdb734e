/**
 * The wakes between a thread and its hub in every interleaving: the tables of thread-bell.ts and hub-bell.ts, step by step. Each
 * step is one atomic access. A state in which nobody can go on, and something was written that nobody has read, is a lost wake.
 * Sleeps have no time-outs here that could save them.
 */

import { describe, expect, it } from 'vitest';

type State = Readonly<Record<string, number>>;
/** What one of them does next, from a state: the states it may lead to, none if it must wait. */
type Actor = (state: State) => State[];

const LIMIT = 2_000_000;

/** How many states there are, and one in which somebody waits in vain, if there is such. */
function explore(start: State, actors: readonly Actor[], isAtPeace: (state: State) => boolean) {
  const seen = new Set<string>();
  const open = [start];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const key = Object.values(state).join();
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > LIMIT) throw new Error('too many states');
    const at = state;
    const next = actors.flatMap((actor) => actor(at));
    if (next.length === 0 && !isAtPeace(state)) return { states: seen.size, lost: state };
    open.push(...next);
  }
  return { states: seen.size, lost: undefined };
}

const AWAKE = 0;
const SLEEPING = 1;
const LISTENING = 3;

type ThreadMutant =
  | 'the hub looks before it writes'
  | 'the hub stores instead of exchanging'
  | 'the thread sleeps without a last look'
  | 'the thread leaves without a last look'
  | 'the thread waits for the bell after it has read';

/** A hub that writes `messages`, one by one; a thread that is rung in its event loop, and blocks `waits` times in between. */
function threadAndHub(messages: number, waits: number, mutant?: ThreadMutant) {
  const start: State = {
    // Shared.
    tail: 0,
    mode: LISTENING,
    // What the runtime keeps: a thread blocked on MODE, a promise that waits for BELL, callbacks that are due.
    isBlocked: 0,
    isWaiting: 1,
    ringsDue: 0,
    looksDue: 0,
    // The hub.
    h: 0,
    found: 0,
    // The thread.
    t: 0,
    head: 0,
    mustWait: 0,
    waits: 0,
  };
  const looksFirst = mutant === 'the hub looks before it writes';
  const hub: Actor = (s) => {
    const { tail = 0, mode = 0, found = 0 } = s;
    switch (s['h']) {
      case 0: {
        if (tail === messages) return [];
        return looksFirst ? [{ ...s, found: mode, h: 1 }] : [{ ...s, tail: tail + 1, h: 1 }];
      }
      case 1:
        return looksFirst ? [{ ...s, tail: tail + 1, h: 2 }] : [{ ...s, found: mode, h: 2 }];
      case 2:
        if (found === AWAKE) return [{ ...s, h: 0 }];
        if (mode !== found && mutant !== 'the hub stores instead of exchanging') {
          return [{ ...s, h: 0 }];
        }
        return [{ ...s, mode: AWAKE, h: found === LISTENING ? 3 : 4 }];
      case 3:
        if (s['isWaiting'] === 0) return [{ ...s, h: 0 }];
        return [{ ...s, isWaiting: 0, ringsDue: 1, h: 0 }];
      default:
        return [{ ...s, isBlocked: 0, h: 0 }];
    }
  };
  /** Store AWAKE, read, store LISTENING, look: from step `at`. */
  const reads = (s: State, at: number): State[] => {
    const { tail = 0, head = 0, t = 0 } = s;
    if (t === at) return [{ ...s, head: tail, t: at + 1 }];
    if (t === at + 1) return [{ ...s, mode: LISTENING, t: at + 2 }];
    const looks = tail !== head && mutant !== 'the thread leaves without a last look';
    return [{ ...s, looksDue: looks ? 1 : (s['looksDue'] ?? 0), t: s['mustWait'] === 1 ? 23 : 0 }];
  };
  const thread: Actor = (s) => {
    const { tail, head, mode, t = 0 } = s;
    switch (t) {
      case 0: {
        const next: State[] = [];
        if (s['ringsDue'] === 1) next.push({ ...s, ringsDue: 0, mode: AWAKE, t: 10 });
        if (s['looksDue'] === 1) next.push({ ...s, looksDue: 0, mode: AWAKE, t: 20 });
        if ((s['waits'] ?? 0) < waits) {
          next.push({ ...s, waits: (s['waits'] ?? 0) + 1, mode: AWAKE, t: 30 });
        }
        return next;
      }
      case 10:
        if (mutant === 'the thread waits for the bell after it has read') {
          return [{ ...s, mustWait: 1, t: 20 }];
        }
        return [{ ...s, isWaiting: 1, t: 20 }];
      case 23:
        return [{ ...s, isWaiting: 1, mustWait: 0, t: 0 }];
      case 30:
        return [{ ...s, t: tail === head ? 31 : 20 }];
      case 31:
        return [{ ...s, mode: SLEEPING, t: 32 }];
      case 32: {
        const isThere = tail !== head && mutant !== 'the thread sleeps without a last look';
        return [{ ...s, t: isThere ? 35 : 33 }];
      }
      case 33:
        return [{ ...s, isBlocked: mode === SLEEPING ? 1 : 0, t: 34 }];
      case 34:
        return s['isBlocked'] === 1 ? [] : [{ ...s, t: 35 }];
      case 35:
        return [{ ...s, mode: AWAKE, t: 20 }];
      default:
        return reads(s, 20);
    }
  };
  return explore(start, [hub, thread], ({ tail, head }) => tail === head);
}

describe('the bell of a thread', () => {
  it.each([
    [4, 0],
    [4, 1],
    [4, 3],
  ])('is heard for each of %d messages, with %d calls that block', (messages, waits) => {
    const { states, lost } = threadAndHub(messages, waits);
    expect(lost).toBeUndefined();
    expect(states).toBeGreaterThan(50);
  });

  it.each<ThreadMutant>([
    'the hub looks before it writes',
    'the hub stores instead of exchanging',
    'the thread sleeps without a last look',
    'the thread leaves without a last look',
    'the thread waits for the bell after it has read',
  ])('would be lost if %s', (mutant) => {
    expect(threadAndHub(4, 3, mutant).lost).toBeDefined();
  });
});

type HubMutant =
  | 'a thread looks before it writes'
  | 'the hub sleeps without a last look'
  | 'the hub does not look when a lifeline ends';

/** Two threads that write; the first may be terminated at any step. */
function hubAndThreads(messages: number, mutant?: HubMutant) {
  const start: State = {
    mode: AWAKE,
    tail1: 0,
    tail2: 0,
    isWaiting: 0,
    ringsDue: 0,
    lifelinesDue: 0,
    p1: 0,
    p2: 0,
    found1: 0,
    found2: 0,
    h: 0,
    hasRead: 0,
    head1: 0,
    head2: 0,
  };
  const looksFirst = mutant === 'a thread looks before it writes';
  const writer =
    (p: string, tail: string, found: string): Actor =>
    (s) => {
      const { mode = 0 } = s;
      const written = s[tail] ?? 0;
      switch (s[p]) {
        case 0:
          if (written === messages) return [];
          return looksFirst
            ? [{ ...s, [found]: mode, [p]: 1 }]
            : [{ ...s, [tail]: written + 1, [p]: 1 }];
        case 1:
          return looksFirst
            ? [{ ...s, [tail]: written + 1, [p]: 2 }]
            : [{ ...s, [found]: mode, [p]: 2 }];
        case 2:
          if (s[found] === AWAKE) return [{ ...s, [p]: 0 }];
          return [{ ...s, mode: AWAKE, [p]: mode === LISTENING ? 3 : 0 }];
        case 3:
          if (s['isWaiting'] === 0) return [{ ...s, [p]: 0 }];
          return [{ ...s, isWaiting: 0, ringsDue: 1, [p]: 0 }];
        default:
          return [];
      }
    };
  const DEAD = 9;
  const death: Actor = (s) => (s['p1'] === DEAD ? [] : [{ ...s, p1: DEAD, lifelinesDue: 1 }]);
  const hub: Actor = (s) => {
    const { tail1 = 0, tail2 = 0, head1, head2, h = 0 } = s;
    switch (h) {
      case 0:
        return [{ ...s, mode: AWAKE, h: 1 }];
      // Both lines in turn, first while it is awake and then for the last time.
      case 1:
      case 4:
        return [{ ...s, hasRead: tail1 === head1 ? 0 : 1, head1: tail1, h: h + 1 }];
      case 2:
      case 5: {
        const hasRead = tail2 !== head2 || s['hasRead'] === 1;
        const next = h === 2 ? (hasRead ? 1 : 3) : hasRead ? 0 : 6;
        return [{ ...s, head2: tail2, hasRead: 0, h: next }];
      }
      case 3:
        return [
          { ...s, mode: LISTENING, h: mutant === 'the hub sleeps without a last look' ? 6 : 4 },
        ];
      case 6: {
        if (s['isWaiting'] === 1) return [{ ...s, h: 7 }];
        const isEqual = s['mode'] === LISTENING;
        return [{ ...s, ...(isEqual ? { isWaiting: 1 } : { ringsDue: 1 }), h: 7 }];
      }
      default: {
        const next: State[] = [];
        if (s['ringsDue'] === 1) next.push({ ...s, ringsDue: 0, h: 0 });
        if (s['lifelinesDue'] === 1) {
          const looks = mutant !== 'the hub does not look when a lifeline ends';
          next.push({ ...s, lifelinesDue: 0, h: looks ? 0 : 7 });
        }
        return next;
      }
    }
  };
  const writers = [writer('p1', 'tail1', 'found1'), writer('p2', 'tail2', 'found2')];
  return explore(
    start,
    [...writers, death, hub],
    ({ tail1, tail2, head1, head2 }) => tail1 === head1 && tail2 === head2,
  );
}

describe('the bell of the hub', () => {
  it('is heard for each message of two threads, one of which is terminated at any step', () => {
    const { states, lost } = hubAndThreads(3);
    expect(lost).toBeUndefined();
    expect(states).toBeGreaterThan(1000);
  });

  it.each<HubMutant>([
    'a thread looks before it writes',
    'the hub sleeps without a last look',
    'the hub does not look when a lifeline ends',
  ])('would be lost if %s', (mutant) => {
    expect(hubAndThreads(3, mutant).lost).toBeDefined();
  });
});

type RoomMutant = 'the hub says once that it wants room' | 'the thread answers before it reads';

/** A hub with `messages` to send through a ring with room for one. That who is rung comes, the models above say. */
function hubWantsRoom(messages: number, mutant?: RoomMutant) {
  const start: State = {
    tail: 0,
    head: 0,
    wanted: 0,
    hubDue: 1,
    threadDue: 0,
    h: 0,
    t: 0,
    hasSaid: 0,
    answers: 0,
  };
  const hub: Actor = (s) => {
    const { tail = 0, head = 0 } = s;
    switch (s['h']) {
      case 0:
        if (s['hubDue'] === 0) return [];
        return [{ ...s, hubDue: 0, h: 1 }];
      case 1: {
        if (tail === messages) return [{ ...s, h: 0 }];
        const says = s['hasSaid'] === 0 || mutant !== 'the hub says once that it wants room';
        return [{ ...s, wanted: says ? 1 : (s['wanted'] ?? 0), hasSaid: 1, h: 2 }];
      }
      default:
        if (tail !== head) return [{ ...s, h: 0 }];
        return [{ ...s, tail: tail + 1, threadDue: 1, hasSaid: 0, h: 1 }];
    }
  };
  const answersFirst = mutant === 'the thread answers before it reads';
  const thread: Actor = (s) => {
    const { tail = 0 } = s;
    const read = (next: number) => ({ ...s, head: tail, t: next });
    const look = (next: number) => ({ ...s, answers: s['wanted'] ?? 0, t: next });
    switch (s['t']) {
      case 0:
        return s['threadDue'] === 1 ? [{ ...s, threadDue: 0, t: 1 }] : [];
      case 1:
        return answersFirst ? [look(2)] : [read(2)];
      case 2:
        return answersFirst ? [read(3)] : [look(3)];
      case 3:
        return s['answers'] === 1 ? [{ ...s, wanted: 0, t: 4 }] : [{ ...s, t: 0 }];
      default:
        return [{ ...s, hubDue: 1, t: 0 }];
    }
  };
  return explore(start, [hub, thread], ({ tail, head }) => tail === head && tail === messages);
}

describe('the room that the hub wants', () => {
  it('is used when it is there', () => {
    expect(hubWantsRoom(5).lost).toBeUndefined();
  });

  it.each<RoomMutant>([
    'the hub says once that it wants room',
    'the thread answers before it reads',
  ])('would not be if %s', (mutant) => {
    expect(hubWantsRoom(5, mutant).lost).toBeDefined();
  });
});
