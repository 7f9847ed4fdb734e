/** What the compiler knows about queues as streams. Checked by `npm run types`, never run. */

import { Readable } from 'node:stream';
import type { Duplex, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Queue } from 'interproc';
import type { QueueReadable, QueueReadableOptions, QueueWritableOptions } from 'interproc';
import { same } from './same.js';

interface Job {
  readonly id: number;
}

/** The codec decides what the streams carry. */
export async function chunks(signal: AbortSignal): Promise<void> {
  const raw = Queue.create('a', { codec: 'raw' });
  same<ReturnType<typeof raw.toReadable>, QueueReadable<Uint8Array>>();
  same<ReturnType<typeof raw.toWritable>, Writable>();
  same<ReturnType<typeof raw.toReadableStream>, ReadableStream<Uint8Array>>();
  same<ReturnType<typeof raw.toWritableStream>, WritableStream<Uint8Array>>();
  const text = Queue.open('a', { codec: 'string' });
  const readable = text.toReadable({ signal });
  for await (const chunk of readable) same<typeof chunk, string>();
  for await (const value of text.toReadableStream()) same<typeof value, string>();
  const { value } = await text.toReadableStream().getReader().read();
  same<typeof value, string | undefined>();
  const unknown = new Queue().toReadable();
  for await (const one of unknown) same<typeof one, unknown>();
}

export async function writing(jobs: Queue<Job>, bytes: Queue<Uint8Array>): Promise<void> {
  const writable = jobs.toWritable({ end: true, highWaterMark: 3 });
  writable.write({ id: 1 });
  writable.write({ id: 1 }, (error) => same<typeof error, Error | null | undefined>());
  writable.write({ id: 1 }, 'utf8', () => {});
  writable.end();
  writable.end(() => {});
  writable.end({ id: 1 }, () => {});
  bytes.toWritable().write(Buffer.from('a'));
  await jobs.toWritableStream({ end: true }).getWriter().write({ id: 1 });

  // @ts-expect-error no job
  await jobs.toWritableStream().getWriter().write('text');
  // @ts-expect-error no bytes
  await bytes.toWritableStream().getWriter().write('text');
}

/** They are what Node and the web take for streams. */
export async function asStreams(from: Queue<Job>, to: Queue<Job>, duplex: Duplex): Promise<void> {
  const readable: Readable = from.toReadable();
  const writable: Writable = to.toWritable();
  await pipeline(readable, duplex, writable);
  await pipeline(from.toReadable(), to.toWritable());
  await pipeline(from.toReadable(), async function (jobs) {
    for await (const job of jobs) same<typeof job, Job>();
  });
  await from.toReadableStream().pipeTo(to.toWritableStream());
  from.toReadable().pipe(duplex).pipe(to.toWritable());
  Readable.from([1]).pipe(to.toWritable());

  const texts = Queue.open('a', { codec: 'string' });
  // @ts-expect-error jobs are no texts
  await from.toReadableStream().pipeTo(texts.toWritableStream());
}

export function options(jobs: Queue<Job>): void {
  const none: QueueReadableOptions & QueueWritableOptions = {};
  jobs.toReadable(none);
  jobs.toWritable({ highWaterMark: undefined, signal: undefined, end: undefined });

  // @ts-expect-error it takes nothing ahead
  jobs.toReadable({ highWaterMark: 3 });
  // @ts-expect-error it takes nothing ahead
  jobs.toReadableStream({ highWaterMark: 3 });
  // @ts-expect-error no such option
  jobs.toWritable({ close: true });
  // @ts-expect-error a number of chunks
  jobs.toWritableStream({ highWaterMark: '3' });
  // @ts-expect-error a signal, not its controller
  jobs.toReadable({ signal: new AbortController() });
}
