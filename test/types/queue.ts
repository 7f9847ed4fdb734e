/** What the compiler knows about queues. Checked by `npm run types`, never run. */

import { list, prune, Queue } from 'interproc';
import type {
  CustomCodec,
  Delivery,
  QueueOptions,
  QueueStats,
  SegmentInfo,
  ValueQueueOptions,
  WaitOptions,
} from 'interproc';
import { same } from './same.js';

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
  const texts = new Queue({ codec: 'string' });
  same<typeof texts, Queue<string>>();
  const days = new Queue({ codec: dates });
  same<typeof days, Queue<Date>>();
  const assigned: Queue<Job> = Queue.open('a');
  same<typeof assigned, Queue<Job>>();
  const anything: Queue = jobs;
  const options: QueueOptions = { maxItems: 3 };
  const whatever = [
    Queue.create('a', options),
    Queue.open('a', options),
    Queue.openOrCreate('a', options),
    new Queue(options),
  ] as const;
  same<(typeof whatever)[number], Queue<unknown>>();
  const values: ValueQueueOptions = { maxItems: 3 };
  const valued = [
    Queue.create<Job>('a', values),
    Queue.open<Job>('a', values),
    new Queue<Job>(values),
  ] as const;
  same<(typeof valued)[number], Queue<Job>>();
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
  // @ts-expect-error the codec carries dates
  Queue.create<Job>('a', { codec: dates });
  // @ts-expect-error a codec decodes, too
  Queue.create('a', { codec: { encode: () => new Uint8Array() } });
  // @ts-expect-error strings are no jobs
  const wrong: Queue<Job> = Queue.open('a', { codec: 'string' });
  void wrong;
}

export async function openingLater(signal: AbortSignal): Promise<void> {
  const raw = await Queue.openWhenAvailable('a', { codec: 'raw', timeoutMs: 100, signal });
  same<typeof raw, Queue<Uint8Array>>();
  const jobs = await Queue.openWhenAvailable<Job>('a');
  same<typeof jobs, Queue<Job>>();
  const text = await Queue.openWhenAvailable('a', { codec: 'string' });
  same<typeof text, Queue<string>>();
  const whatever = await Queue.openWhenAvailable('a', {} as QueueOptions & WaitOptions);
  same<typeof whatever, Queue<unknown>>();
  const custom = await Queue.openWhenAvailable('a', { codec: dates });
  same<typeof custom, Queue<Date>>();
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
  const literal = q.tryGet('none' as const);
  same<typeof literal, Job | 'none'>();
  const many = await q.getMany({ max: 3, timeoutMs: 5 });
  same<typeof many, Job[]>();
  same<ReturnType<typeof q.getManySync>, Job[]>();
  same<ReturnType<typeof q.tryGetMany>, Job[]>();
  same<ReturnType<typeof bytes.tryGetMany>, Uint8Array[]>();
  const delivery = await q.receive();
  same<typeof delivery, Delivery<Job>>();
  same<typeof delivery.value, Job>();
  same<ReturnType<typeof q.receiveSync>, Delivery<Job>>();
  same<ReturnType<typeof q.tryReceive>, Delivery<Job> | undefined>();
  const length = await bytes.getIntoAsync(new Uint8Array(8));
  same<typeof length, number>();
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
  // @ts-expect-error one of the values is no job
  await q.putMany([{ id: 1 }, 'text']);
  // @ts-expect-error an iterable is needed
  q.putManySync({ id: 1 });
  // @ts-expect-error there may be none
  const certain: Job = q.tryGet();
  // @ts-expect-error it is in the delivery
  const received: Job = await q.receive();
  // @ts-expect-error a message that was received stays as it is
  delivery.value = { id: 2 };
  // @ts-expect-error bytes go into a Uint8Array
  bytes.getInto([]);
  // @ts-expect-error the number is not a text
  await q.getMany({ max: '3' });
  void [certain, received];
}

export function registry(): void {
  const objects = list();
  same<typeof objects, SegmentInfo[]>();
  const removed = prune({ dryRun: true });
  same<typeof removed, string[]>();
}
