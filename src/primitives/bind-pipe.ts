import { InterprocError } from '../errors.js';
import type { Backend } from '../contract/channel.js';
import type { PipeEnd, PipeOpener } from '../contract/pipe.js';
import type { Codec, CustomCodec } from '../codec/codec.js';
import { codecFor, codecNamed, codecOfSchema } from '../codec/resolve-codec.js';
import type { StructType } from '../shapes/struct.js';
import type { BackendSelector } from './bind-queue.js';
import { Connection, OpenedEnd, TRAVELS_AS } from './connection.js';
import { assertCapable } from './lacking.js';
import { HandleClasses } from './passengers.js';
import type { Arrive } from './passengers.js';
import { checkPipeOptionNames, pipeOptions } from './pipe-options.js';
import type { PipeOptions } from './pipe-options.js';

/** Options of a pipe that carries values of any type: one with the codec `'structured'` or `'json'`. */
export interface ValuePipeOptions extends PipeOptions {
  readonly codec?: 'structured' | 'json' | undefined;
}

/** A codec that says by its type what it carries. */
export type TypedCodec<T> = CustomCodec<T> | StructType<T, unknown>;

/** Both ends of a pipe; of a one-way pipe the reader, then the writer. */
export type Ends<T> = [Connection<T>, Connection<T>];

/** `Pipe`: the codec decides what its connections carry. */
export interface PipeFunction {
  /**
   * A new pipe: its two ends, both of which are this process's until one is sent in a message. Without a name: it goes with its
   * owners.
   *
   * @throws ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION; ERR_UNSUPPORTED where the backend has no pipes
   *
   * @example
   * ```ts
   * import { EOFError, Pipe } from 'interproc';
   *
   * const [a, b] = Pipe<[number, null, string]>();
   * await a.send([42, null, 'hello']);
   * a.close();
   * await b.recv(); // => [ 42, null, 'hello' ]
   * const error = await b.recv().catch((thrown) => thrown);
   * error instanceof EOFError; // => true
   * b.close();
   *
   * // One way, bytes only.
   * const [reader, writer] = Pipe({ duplex: false, codec: 'raw' });
   * writer.trySend(Uint8Array.of(1, 2, 3)); // => true
   * reader.tryRecv(); // => Uint8Array(3) [ 1, 2, 3 ]
   * reader.close();
   * writer.close();
   * ```
   */
  (options: PipeOptions & { readonly codec: 'raw' }): Ends<Uint8Array>;
  (options: PipeOptions & { readonly codec: 'string' }): Ends<string>;
  <T>(options: PipeOptions<T> & { readonly codec: TypedCodec<T> }): Ends<T>;
  <T = unknown>(options?: ValuePipeOptions): Ends<T>;
  /** Where the type of the options leaves the codec open. */
  (options: PipeOptions): Ends<unknown>;
}

/** @throws ERR_UNSUPPORTED */
export function pipesOf(backend: Backend): PipeOpener {
  assertCapable(backend, 'pipes', 'Pipe');
  return backend as Backend & PipeOpener;
}

/** The connection of an end; if it comes to none, the end is closed. */
export function connectionOf<T>(
  end: PipeEnd,
  codec: () => Codec<T>,
  arrive: Arrive,
): Connection<T> {
  try {
    return new Connection(new OpenedEnd(end, codec(), arrive));
  } catch (error) {
    end.close();
    throw error;
  }
}

/** The codec of an end that came out of a message. @throws ERR_MISMATCH, ERR_CORRUPT */
function arrivedCodec(end: PipeEnd, schema: string | undefined): Codec<unknown> {
  const { codec: name } = end.geometry;
  if (schema === undefined) return codecNamed(name, 'The connection in the message');
  const codec = codecOfSchema(schema);
  if (codec.name === name) return codec;
  throw new InterprocError(
    'ERR_MISMATCH',
    `The connection that was in the message has the codec '${name}', not '${codec.name}'`,
  );
}

/** The function `Pipe`, whose pipes live on the backends that `select` finds. */
export function bindPipe(select: BackendSelector, handles = new HandleClasses()): PipeFunction {
  function Pipe(options: PipeOptions<never> = {}): Ends<unknown> {
    checkPipeOptionNames(options);
    const codec = codecFor<unknown>(options.codec ?? 'structured');
    const wanted = pipeOptions(options, codec.name);
    const backend = select(options.backend);
    const [first, second] = pipesOf(backend).openPipe(wanted);
    const arrive = handles.arriveOn(backend);
    const opened = (end: PipeEnd) => new Connection(new OpenedEnd(end, codec, arrive));
    return [opened(first), opened(second)];
  }
  handles.add(TRAVELS_AS, (backend, ticket, schema) => {
    const end = pipesOf(backend).openPipeTicket(ticket);
    return connectionOf(end, () => arrivedCodec(end, schema), handles.arriveOn(backend));
  });
  return Pipe as PipeFunction;
}
