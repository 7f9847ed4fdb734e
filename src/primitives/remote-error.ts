import { shown } from '../errors.js';
import { structuredCodec } from '../codec/structured.js';

/** How deep a chain of causes travels. */
const MOST_CAUSES = 8;

const ERRORS: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((error) => [
    error.name,
    error,
  ]),
);

/** An error as it travels, whatever the codec of the connection: what a program or a person can use of it. */
interface Described {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly cause?: Thrown;
}

/** What was thrown need not be an error. */
type Thrown = { readonly error: Described } | { readonly value: unknown };

function described(error: Error, causes: number): Described {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    name: `${name}`,
    message: `${message}`,
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(cause === undefined || causes === 0 ? {} : { cause: thrownOf(cause, causes - 1) }),
  };
}

function thrownOf(thrown: unknown, causes = MOST_CAUSES): Thrown {
  return thrown instanceof Error ? { error: described(thrown, causes) } : { value: thrown };
}

/** In an array of its own. */
function encoded(thrown: Thrown): Uint8Array {
  const own = new Uint8Array(256);
  const bytes = structuredCodec.encode(thrown, own);
  return typeof bytes === 'number' ? own.subarray(0, bytes) : bytes;
}

/** What a handler threw, as bytes: as much of it as can travel. */
export function encodeThrown(thrown: unknown): Uint8Array {
  try {
    return encoded(thrownOf(thrown));
  } catch {
    // A getter that throws, a cause that no message can carry.
  }
  const { name, message } = plainOf(thrown);
  return encoded({ error: { name, message } });
}

function plainOf(thrown: unknown): Pick<Described, 'name' | 'message'> {
  try {
    if (thrown instanceof Error) return { name: `${thrown.name}`, message: `${thrown.message}` };
  } catch {
    // Not even these.
  }
  return { name: 'Error', message: shown(thrown) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Of anything that may have come. */
function rebuilt(thrown: unknown, causes = MOST_CAUSES): unknown {
  if (!isObject(thrown)) throw new TypeError('no error');
  const { error: found } = thrown;
  if (found === undefined) return thrown['value'];
  if (!isObject(found)) throw new TypeError('no error');
  const { name, message, stack, code, cause } = found;
  const of = ERRORS.get(`${name}`) ?? Error;
  const hasCause = cause !== undefined && causes > 0;
  const error = new of(`${message}`, hasCause ? { cause: rebuilt(cause, causes - 1) } : undefined);
  const hidden = { enumerable: false, configurable: true, writable: true };
  if (error.name !== name) Object.defineProperty(error, 'name', { value: `${name}`, ...hidden });
  Object.defineProperty(error, 'stack', { value: `${stack ?? error}`, ...hidden });
  if (typeof code === 'string' || typeof code === 'number') Object.assign(error, { code });
  return error;
}

/** What was thrown there, made again. @throws if these are no such bytes */
export function decodeThrown(bytes: Uint8Array): unknown {
  return rebuilt(structuredCodec.decodeOwn(bytes));
}
