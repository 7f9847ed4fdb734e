/** What the compiler knows about pipes. Checked by `npm run types`, never run. */

import { BufferTooShort, Pipe, Queue, Struct } from 'interproc';
import type {
  Connection,
  CustomCodec,
  Ends,
  PipeFunction,
  PipeOptions,
  PipeStats,
  ValuePipeOptions,
} from 'interproc';
import { same } from './same.js';

interface Job {
  readonly id: number;
}
declare const dates: CustomCodec<Date>;

/** The codec decides what the connections carry. */
export function codecs(): void {
  const raw = Pipe({ codec: 'raw' });
  same<typeof raw, [Connection<Uint8Array>, Connection<Uint8Array>]>();
  const string = Pipe({ codec: 'string', duplex: false });
  same<typeof string, Ends<string>>();
  const custom = Pipe({ codec: dates });
  same<typeof custom, Ends<Date>>();
  const Point = Struct({ x: 'float64', id: 'uint32' });
  const points = Pipe({ codec: Point });
  same<typeof points, Ends<{ x: number; id: number }>>();
  const jobs = Pipe<Job>();
  same<typeof jobs, Ends<Job>>();
  const json = Pipe<Job>({ codec: 'json', capacityBytes: 8192 });
  same<typeof json, Ends<Job>>();
  const anything = Pipe();
  same<typeof anything, Ends<unknown>>();
  const options: PipeOptions = { duplex: true };
  const whatever = Pipe(options);
  same<typeof whatever, Ends<unknown>>();
  const values: ValuePipeOptions = { maxMessageBytes: 100 };
  const valued = Pipe<Job>(values);
  same<typeof valued, Ends<Job>>();
  const open: PipeFunction = Pipe;
  const some: Connection = jobs[0];
  void [open, some];

  // @ts-expect-error A pipe of bytes carries no jobs.
  Pipe<Job>({ codec: 'raw' });
  // @ts-expect-error There is no such codec.
  Pipe({ codec: 'xml' });
  // @ts-expect-error There is no such option.
  Pipe({ maxItems: 3 });
}

/** What calls take and give. */
export async function calls(connection: Connection<Job>, signal: AbortSignal): Promise<void> {
  const timeoutMs = 9;
  const bytes = new Uint8Array(3);
  const given = [
    connection.send({ id: 1 }, { timeoutMs, signal }),
    connection.sendMany(new Set([{ id: 2 }]), { signal }),
    connection.sendBytes(bytes, 0, 3, { timeoutMs, signal }),
  ] as const;
  same<(typeof given)[number], Promise<void>>();
  connection.sendSync({ id: 1 }, { timeoutMs });
  connection.sendManySync([{ id: 1 }], { timeoutMs });
  connection.sendBytesSync(Buffer.alloc(3), 1);
  const sent = connection.trySend({ id: 1 }) || connection.trySendBytes(bytes, 1, 1);
  same<typeof sent, boolean>();

  const job = await connection.recv({ timeoutMs, signal });
  same<typeof job, Job>();
  const jobs = await connection.recvMany({ max: 3, timeoutMs, signal });
  same<typeof jobs, Job[]>();
  const blocked = [
    connection.recvSync({ timeoutMs }),
    connection.recvManySync({ max: 3 }),
  ] as const;
  same<typeof blocked, readonly [Job, Job[]]>();
  const maybe = connection.tryRecv();
  same<typeof maybe, Job | undefined>();
  const else_ = connection.tryRecv('nothing' as const);
  same<typeof else_, Job | 'nothing'>();
  const those = connection.tryRecvMany({ max: 3 });
  same<typeof those, Job[]>();
  const message = await connection.recvBytes(100, { timeoutMs, signal });
  same<typeof message, Uint8Array>();
  const messageNow = connection.tryRecvBytes(100);
  same<typeof messageNow, Uint8Array | undefined>();
  const length = await connection.recvBytesInto(bytes, 1, { timeoutMs, signal });
  same<typeof length, number>();
  const lengthNow = connection.tryRecvBytesInto(bytes, 1);
  same<typeof lengthNow, number | undefined>();
  const ready = await connection.waitReadable({ timeoutMs, signal });
  same<typeof ready, boolean>();
  for await (const each of connection) same<typeof each, Job>();
  const stats = connection.stats();
  same<typeof stats, PipeStats>();
  const error = new BufferTooShort('too short', bytes);
  same<typeof error.bytes, Uint8Array>();

  // @ts-expect-error A call that blocks its thread cannot be aborted.
  connection.recvSync({ signal });
  // @ts-expect-error A job has an id.
  connection.trySend({});
  // @ts-expect-error Whether it is readable is not for others to say.
  connection.readable = true;
}

/** They travel. */
export function travels(connection: Connection<Job>): void {
  const q = new Queue<{ reply: Connection<Job> }>();
  q.tryPut({ reply: connection });
  const reply = q.tryGet()?.reply;
  same<typeof reply, Connection<Job> | undefined>();
}
