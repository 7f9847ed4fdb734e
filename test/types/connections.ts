/** What the compiler knows about requests, waits and streams of connections. Checked by `npm run types`, never run. */

import type { Writable } from 'node:stream';

import { Pipe, wait } from 'interproc';
import type {
  Connection,
  ConnectionDuplex,
  MessageReadable,
  Queue,
  RequestContext,
  RequestHandler,
  RequestSubscription,
} from 'interproc';
import { same } from './same.js';

interface Job {
  readonly id: number;
}

export async function requests(jobs: Connection<Job>, any: Connection): Promise<void> {
  same<ReturnType<typeof jobs.request>, Promise<Job>>();
  const answer = await any.request<number>('how many');
  same<typeof answer, number>();
  same<Awaited<ReturnType<typeof any.request>>, unknown>();
  const handling = jobs.onRequest((job, { signal }) => {
    same<typeof job, Job>();
    same<typeof signal, AbortSignal>();
    return job;
  });
  same<typeof handling, RequestSubscription>();
  jobs.onRequest(async (job) => ({ id: job.id + 1 }), { maxConcurrent: 3 });
  const handler: RequestHandler<Job> = (job, context) => (
    same<typeof context, RequestContext>(),
    job
  );
  jobs.onRequest(handler);

  // @ts-expect-error no job
  await jobs.request('text');
  // @ts-expect-error no response
  jobs.onRequest(() => 'text');
}

export async function waits(jobs: Connection<Job>, queue: Queue<string>): Promise<void> {
  const both = await wait([jobs, queue], { timeoutMs: 10 });
  same<typeof both, (Connection<Job> | Queue<string>)[]>();
  const one = await wait(new Set([jobs]));
  same<typeof one, Connection<Job>[]>();

  // @ts-expect-error nothing that can be waited for
  await wait([5]);
}

export async function streams(signal: AbortSignal): Promise<void> {
  const [raw] = Pipe({ codec: 'raw' });
  same<ReturnType<typeof raw.toReadable>, MessageReadable<Uint8Array>>();
  same<ReturnType<typeof raw.toWritable>, Writable>();
  same<ReturnType<typeof raw.toDuplex>, ConnectionDuplex<Uint8Array>>();
  const [text] = Pipe({ codec: 'string' });
  for await (const chunk of text.toDuplex({ signal, end: true })) same<typeof chunk, string>();
  const { readable, writable } = text.toWebStreams({ signal, highWaterMark: 3 });
  same<typeof readable, ReadableStream<string>>();
  same<typeof writable, WritableStream<string>>();
  raw.toDuplex({ objectMode: false });

  // @ts-expect-error the pair closes the connection by itself
  text.toWebStreams({ end: true });
}

/** A connection of one thing is one of anything, as far as it is read. */
export function wider(jobs: Connection<Job>): Connection {
  return jobs;
}
