// @ts-check
/**
 * What becomes of leases that nobody ends, seen by garbage collection: `node --expose-gc forgotten-leases.mjs CASE`. Where
 * ArrayBuffers cannot be transferred past Node's own marks, says so.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { markAsUntransferable } from 'node:worker_threads';
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const gc = /** @type {() => void} */ (globalThis.gc);
/** @type {Queue<Uint8Array>} */
const q = Queue.create('frames', { codec: 'raw', capacityBytes: 65_536 });
// The slot last: it hides what comes behind it.
const KINDS = /** @type {const} */ (['message', 'slot']);

/** Collects until `isDone`, or until it is plain that it never will be. */
async function collected(isDone = () => q.leases().length === 0) {
  for (let i = 0; i < 200; i += 1) {
    gc();
    await delay(5);
    if (isDone()) return true;
  }
  return false;
}

/**
 * @param {Queue<Uint8Array>} queue
 * @param {'slot' | 'message'} kind
 */
function lease(queue, kind) {
  if (kind === 'slot') return queue.reserve(1000);
  q.putNowait(new Uint8Array(1000).fill(5));
  return queue.peek();
}

/** How many of the smallest messages fit. Leaves the queue empty. */
function room() {
  let count = 0;
  while (q.tryPut(new Uint8Array(1))) count += 1;
  while (q.tryGet() !== undefined);
  return count;
}

/** @param {ArrayBufferLike} buffer */
function transferred(buffer) {
  const { transfer } = /** @type {{ transfer?: () => ArrayBuffer }} */ (
    /** @type {unknown} */ (ArrayBuffer.prototype)
  );
  return transfer === undefined ? undefined : transfer.call(/** @type {ArrayBuffer} */ (buffer));
}

/** @param {() => unknown} act */
function codeOf(act) {
  try {
    act();
    return 'none';
  } catch (error) {
    return /** @type {{ code: string }} */ (error).code;
  }
}

/** @type {Record<string, () => Promise<unknown>>} */
const CASES = {
  async forgotten() {
    for (const kind of KINDS) void lease(q, kind).byteLength;
    const held = q.leases().length;
    const ended = await collected();
    const message = q.tryReceive();
    message?.ack();
    return { held, ended, deliveries: message?.deliveries, room: room() };
  },

  async kept() {
    const bytes = KINDS.map((kind) => lease(q, kind).bytes.subarray(1));
    const ended = await collected();
    const lengths = bytes.map(({ length }) => length);
    bytes.length = 0;
    return {
      ended,
      lengths,
      endedThen: await collected(),
      returned: q.tryGet()?.length,
      room: room(),
    };
  },

  async 'the queue forgotten'() {
    /** A function of its own: nothing of it keeps the other handle. */
    const reserve = () => {
      /** @type {Queue<Uint8Array>} */
      const other = Queue.open('frames');
      return other.reserve(1000).bytes.subarray(1);
    };
    const bytes = [reserve()];
    q.putNowait(new Uint8Array([4]));
    await collected();
    bytes[0]?.fill(8);
    const length = bytes[0]?.length;
    const hidden = q.tryGet();
    bytes.length = 0;
    const left = await collected(() => q.stats().participants === 1);
    return { length, hidden, left, found: q.tryGet()?.[0], room: room() };
  },

  async 'ended and transferred'() {
    const result = [];
    for (const kind of KINDS) {
      const held = lease(q, kind);
      const successors = [transferred(held.bytes.buffer)];
      if (successors[0] === undefined) return 'cannot be transferred';
      const code = codeOf(() => ('commit' in held ? held.commit() : held.release()));
      const stays = !(await collected());
      new Uint8Array(/** @type {ArrayBuffer} */ (successors[0])).fill(1);
      successors.length = 0;
      const ended = await collected();
      result.push({ kind, code, stays, ended, left: q.tryGet()?.length });
    }
    return { result, room: room() };
  },

  async 'transferred and closed'() {
    const result = [];
    for (const kind of KINDS) {
      /** @type {Queue<Uint8Array>} */
      const other = Queue.open('frames');
      const held = lease(other, kind);
      q.putNowait(new Uint8Array([9]));
      const received = kind === 'slot' ? undefined : other.tryReceive();
      const successors = [transferred(held.bytes.buffer)];
      if (successors[0] === undefined) return 'cannot be transferred';
      other.close();
      const stays = !(await collected());
      new Uint8Array(/** @type {ArrayBuffer} */ (successors[0])).fill(1);
      // What it held otherwise came back at once.
      const back = received === undefined ? undefined : q.tryGet()?.[0];
      successors.length = 0;
      const ended = await collected(() => q.stats().participants === 1);
      const left = q.tryGetMany().map(({ length }) => length);
      result.push({ kind, stays, back, ended, left });
    }
    return { result, room: room() };
  },

  async 'ended and marked'() {
    const result = [];
    for (const kind of KINDS) {
      const held = [lease(q, kind)];
      markAsUntransferable(held[0]?.bytes.buffer ?? {});
      const code = codeOf(() => {
        const one = held[0];
        if (one === undefined) return;
        if ('commit' in one) one.commit();
        else one.release();
      });
      held.length = 0;
      const ended = await collected();
      // Given up, or done.
      const isThere = q.tryGet() !== undefined;
      result.push({ kind, ended, isRight: isThere === ((code === 'none') === (kind === 'slot')) });
    }
    return { result, room: room() };
  },

  async 'left open'() {
    for (const kind of KINDS) lease(q, kind).bytes.fill(3);
    say('result', 'leaves');
    process.exit(0);
  },
};

const [name = ''] = process.argv.slice(2);
say('result', await CASES[name]?.());
q.close();
