/** What the compiler knows about listeners. Checked by `npm run types`, never run. */

import { Pipe, Struct } from 'interproc';
import type { Connection, ConnectOptions, CustomCodec, Listener, ListenerOptions } from 'interproc';
import { same } from './same.js';

interface Job {
  readonly id: number;
}
declare const dates: CustomCodec<Date>;

/** The codec decides what connections carry, on both sides. */
export async function codecs(): Promise<void> {
  const raw = Pipe.listen('a', { codec: 'raw', backlog: 3 });
  same<typeof raw, Listener<Uint8Array>>();
  const accepted = await raw.accept({ timeoutMs: 1 });
  same<typeof accepted, Connection<Uint8Array>>();
  const bytes = await Pipe.connect('a', { codec: 'raw', timeoutMs: 1 });
  same<typeof bytes, Connection<Uint8Array>>();
  const custom = Pipe.listen('a', { codec: dates, authkey: new Uint8Array(16) });
  same<typeof custom, Listener<Date>>();
  const jobs = await Pipe.connect<Job>('a', { authkey: 'secret' });
  same<typeof jobs, Connection<Job>>();
  for await (const connection of Pipe.listen<Job>('a')) {
    same<typeof connection, Connection<Job>>();
  }
  const points = await Pipe.connect('a', { codec: Struct({ x: 'float64' }) });
  await points.send({ x: 1 });
}

/** What options there are. */
export function options(): void {
  const listening: ListenerOptions = { onRejected: (error) => void error.code };
  const connecting: ConnectOptions = { handshakeTimeoutMs: 5, signal: AbortSignal.timeout(5) };
  void [listening, connecting];
  // @ts-expect-error connections of a listener go both ways
  Pipe.listen('a', { duplex: false });
  // @ts-expect-error the listener decides
  void Pipe.connect('a', { capacityBytes: 4096 });
  // @ts-expect-error a key is text or bytes
  Pipe.listen('a', { authkey: 5 });
}
