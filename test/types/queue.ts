/** What the compiler knows about queues. Checked by `npm run types`, never run. */

import { list, prune, Queue } from 'interproc';
import type { CustomCodec, Delivery, QueueStats, SegmentInfo } from 'interproc';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function same<A, B>(..._proof: Same<A, B> extends true ? [] : ['these types differ']): void {}

interface Job {
  readonly id: number;
}
declare const dates: CustomCodec<Date>;

/** The codec decides what a queue carries. */
export function codecs(): void {
  const raw = Queue.create('a', { codec: 'raw' });
  same<typeof raw, Queue<Uint8Array>>();
  const string = Queue.open('a', { codec: 'string', maxItems: 3 });
  same<typeof string, Queue<string>>();
  const custom = Queue.openOrCreate('a', { codec: dates });
  same<typeof custom, Queue<Date>>();
  const jobs = Queue.create<Job>('a');
  same<typeof jobs, Queue<Job>>();
  const json = Queue.create<Job>('a', { codec: 'json', maxDeliveries: 3, deadLetter: 'b' });
  same<typeof json, Queue<Job>>();
  const unknown = Queue.open('a');
  same<typeof unknown, Queue<unknown>>();
  const anonymous = new Queue<Job>();
  same<typeof anonymous, Queue<Job>>();
  const bytes = new Queue({ codec: 'raw' });
  same<typeof bytes, Queue<Uint8Array>>();
  const assigned: Queue<Job> = Queue.open('a');
  same<typeof assigned, Queue<Job>>();
  const anything: Queue = jobs;
  void anything;

  // @ts-expect-error codec 'raw' carries bytes
  Queue.create<Job>('a', { codec: 'raw' });
  // @ts-expect-error no such codec
  Queue.create('a', { codec: 'xml' });
  // @ts-expect-error no such option
  Queue.create('a', { capacity: 3 });
  // @ts-expect-error waiting is for openWhenAvailable
  Queue.open('a', { timeoutMs: 3 });
  // @ts-expect-error a name is needed
  Queue.create();
}

export async function openingLater(signal: AbortSignal): Promise<void> {
  const raw = await Queue.openWhenAvailable('a', { codec: 'raw', timeoutMs: 100, signal });
  same<typeof raw, Queue<Uint8Array>>();
  const jobs = await Queue.openWhenAvailable<Job>('a');
  same<typeof jobs, Queue<Job>>();
}

export function joining(q: Queue<Job>, signal: AbortSignal): void {
  same<ReturnType<typeof q.taskDone>, void>();
  same<ReturnType<typeof q.joinSync>, void>();
  same<ReturnType<typeof q.join>, Promise<void>>();
  void q.join({ timeoutMs: 3, signal });
  q.joinSync({ timeoutMs: 3 });
  // @ts-expect-error one at a time
  q.taskDone(3);
}

export async function values(q: Queue<Job>, bytes: Queue<Uint8Array>): Promise<void> {
  same<Awaited<ReturnType<typeof q.get>>, Job>();
  same<ReturnType<typeof q.getNowait>, Job>();
  const maybe = q.tryGet();
  same<typeof maybe, Job | undefined>();
  const other = q.tryGet(null);
  same<typeof other, Job | null>();
  const many = await q.getMany({ max: 3, timeoutMs: 5 });
  same<typeof many, Job[]>();
  const delivery = await q.receive();
  same<typeof delivery, Delivery<Job>>();
  same<typeof delivery.value, Job>();
  for await (const job of q) same<typeof job, Job>();
  same<ReturnType<typeof q.stats>, QueueStats>();
  await bytes.put(Buffer.from('a'));
  await q.putMany(new Set([{ id: 1 }]));
  q.unref().ref().close();

  // @ts-expect-error no job
  await q.put('text');
  // @ts-expect-error a blocked thread cannot be aborted
  q.getSync({ signal: new AbortController().signal });
  // @ts-expect-error no bytes
  bytes.tryPut('text');
}

export function registry(): void {
  const objects = list();
  same<typeof objects, SegmentInfo[]>();
  const removed = prune({ dryRun: true });
  same<typeof removed, string[]>();
}
