import { InterprocError, invalidArgument } from '../errors.js';
import type { OpenMode } from '../contract/channel.js';
import type { State } from '../contract/state.js';
import type {
  Element,
  ScalarArrayOf,
  ScalarType,
  ScalarTypeName,
  ScalarValueOf,
} from '../shapes/scalar-types.js';
import { isStruct, shapeOf } from '../shapes/struct.js';
import type { StructType } from '../shapes/struct.js';
import type { StructInput } from '../shapes/struct-types.js';
import { findCore } from './array-core.js';
import type { BackendSelector } from './bind-queue.js';
import { schemaOf, typeOf, typeOfSchema } from './bind-value.js';
import type { AnyType } from './bind-value.js';
import { elementSharedArray } from './element-shared-array.js';
import { checkName } from './name.js';
import { openWhenAvailable } from './open-when-available.js';
import type { HandleClasses } from './passengers.js';
import type { QueueMode } from './queue-options.js';
import { ARRAY_TRAVELS_AS } from './shared-array.js';
import type { SharedArray } from './shared-array.js';
import { ALSO_WAITS, checkStateOptions, openStateOf } from './state-options.js';
import type { StateContents, StateHandleOptions } from './state-options.js';
import { typedSharedArray } from './typed-shared-array.js';
import type { Assignable } from './value.js';
import type { WaitOptions } from './wait-options.js';

/** How an array that is there is opened. */
export interface OpenArrayOptions<Type = unknown> extends StateHandleOptions {
  /**
   * The type that its elements are expected to have: ERR_MISMATCH if it is another.
   * @default undefined: whatever they have
   */
  readonly type?: Type | undefined;
}

/** `SharedArray.create` and `SharedArray.openOrCreate`. */
export interface MakeArray {
  <N extends ScalarTypeName>(
    name: string,
    type: N,
    lengthOrValues: number | Iterable<Assignable<ScalarValueOf<N>>>,
    options?: StateHandleOptions,
  ): SharedArray<ScalarValueOf<N>, ScalarArrayOf<N>>;
  <T, Live>(
    name: string,
    type: StructType<T, Live>,
    lengthOrValues: number | Iterable<StructInput<T>>,
    options?: StateHandleOptions,
  ): SharedArray<T, Live>;
}

/** The class `SharedArray` as users see it; also exported as `Array`. */
export interface SharedArrayConstructor {
  /**
   * An anonymous array: no name, and it goes with its last participant.
   *
   * @param type of its elements: a scalar type by name or letter, or a `Struct`
   * @param lengthOrValues how many elements, all zero; or the elements, from anything that can be iterated. At least one
   * @throws ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  new <N extends ScalarTypeName>(
    type: N,
    lengthOrValues: number | Iterable<Assignable<ScalarValueOf<N>>>,
    options?: StateHandleOptions,
  ): SharedArray<ScalarValueOf<N>, ScalarArrayOf<N>>;
  new <T, Live>(
    type: StructType<T, Live>,
    lengthOrValues: number | Iterable<StructInput<T>>,
    options?: StateHandleOptions,
  ): SharedArray<T, Live>;
  readonly prototype: object;
  /**
   * A new array.
   *
   * @throws ERR_EXISTS if an object of this name is there; ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  readonly create: MakeArray;
  /**
   * An array that is there; its type and length are known from it.
   *
   * @throws ERR_NOT_FOUND; ERR_KIND if it is no array; ERR_MISMATCH if it has another type or other options than are asked for;
   * ERR_VERSION, ERR_CORRUPT, ERR_NO_SLOT, ERR_INVALID_ARG, ERR_PERMISSION
   */
  open<N extends ScalarTypeName>(
    name: string,
    options: OpenArrayOptions<N> & { readonly type: N },
  ): SharedArray<ScalarValueOf<N>, ScalarArrayOf<N>>;
  open<T, Live>(
    name: string,
    options: OpenArrayOptions<StructType<T, Live>> & { readonly type: StructType<T, Live> },
  ): SharedArray<T, Live>;
  open<T = unknown, View = unknown>(name: string, options?: OpenArrayOptions): SharedArray<T, View>;
  /**
   * The array that is there, as it is, which must have that type and length, or else a new one.
   *
   * @throws as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS
   */
  readonly openOrCreate: MakeArray;
  /**
   * The array, as soon as some process has created it. The wait keeps this process alive.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; else as `open`, without ERR_NOT_FOUND
   */
  openWhenAvailable<N extends ScalarTypeName>(
    name: string,
    options: OpenArrayOptions<N> & WaitOptions & { readonly type: N },
  ): Promise<SharedArray<ScalarValueOf<N>, ScalarArrayOf<N>>>;
  openWhenAvailable<T = unknown, View = unknown>(
    name: string,
    options?: OpenArrayOptions & WaitOptions,
  ): Promise<SharedArray<T, View>>;
}

interface Wanted extends StateContents {
  readonly initial: Uint8Array | undefined;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    value !== null && value !== undefined && typeof Object(value)[Symbol.iterator] === 'function'
  );
}

function wantedOf(type: AnyType, lengthOrValues: unknown): Wanted {
  const size = type.byteLength;
  const schema = schemaOf(type);
  if (isIterable(lengthOrValues)) {
    const values = [...lengthOrValues];
    if (values.length === 0) throw badLength(lengthOrValues);
    const initial = bytesOf(type, values);
    return { byteLength: initial.length, schema, parameter: 0, initial };
  }
  if (!Number.isSafeInteger(lengthOrValues) || (lengthOrValues as number) < 1) {
    throw badLength(lengthOrValues);
  }
  const byteLength = size * (lengthOrValues as number);
  return { byteLength, schema, parameter: 0, initial: undefined };
}

function badLength(received: unknown): InterprocError {
  return invalidArgument(
    'SharedArray',
    'a length, a whole number of 1 or more, or the elements, one at least',
    received,
  );
}

function bytesOf(type: AnyType, values: readonly unknown[]): Uint8Array {
  if (isStruct(type)) {
    const bytes = new Uint8Array(values.length * type.byteLength);
    const shape = shapeOf(type);
    values.forEach((value, i) => bytes.set(shape.pack(value as never), i * type.byteLength));
    return bytes;
  }
  const { TypedArray, toElement } = type as ScalarType;
  const elements = new TypedArray(values.length);
  values.forEach((value, i) => {
    (elements as unknown as { [index: number]: Element })[i] = toElement(value, `Element ${i}`);
  });
  return new Uint8Array(elements.buffer as ArrayBuffer);
}

function describe({ schema, byteLength }: StateContents): string {
  return `an array of ${byteLength} bytes of type ${schema}`;
}

/** The array in a state that was opened. */
function arrayIn(state: State): object {
  try {
    const type = typeOfSchema(state.geometry.schema);
    const { byteLength } = state.geometry;
    if (byteLength < type.byteLength || byteLength % type.byteLength !== 0) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `SharedArray '${state.name}' has ${byteLength} bytes, which are no elements of type ${schemaOf(type)}`,
      );
    }
    if (isStruct(type)) return elementSharedArray(state, type);
    const scalar = type as ScalarType;
    const isTyped = scalar.kind !== 'bool' && scalar.kind !== 'char';
    return isTyped && state.buffer !== undefined
      ? typedSharedArray(state, scalar)
      : elementSharedArray(state, scalar);
  } catch (error) {
    state.close();
    throw error;
  }
}

/** The class `SharedArray`, whose arrays live on the backends that `select` finds. */
export function bindSharedArray(
  select: BackendSelector,
  handles: HandleClasses,
): SharedArrayConstructor {
  function make(
    mode: QueueMode,
    name: string | undefined,
    asked: unknown,
    lengthOrValues: unknown,
    options: StateHandleOptions = {},
  ): object {
    const opening = { kind: 'array', article: 'An array', mode, name, alsoTakes: [] } as const;
    const checked = checkStateOptions(options, opening);
    const wanted = wantedOf(typeOf(asked), lengthOrValues);
    const backend = select(checked.backend);
    return arrayIn(openStateOf(backend, opening, checked, wanted, describe, wanted.initial));
  }

  function open(
    name: string,
    options: OpenArrayOptions = {},
    alsoTakes: readonly string[] = [],
  ): object {
    const opening = {
      kind: 'array',
      article: 'An array',
      mode: 'open',
      name,
      alsoTakes: ['type', ...alsoTakes],
    } as const;
    const checked: OpenArrayOptions = checkStateOptions(options, opening);
    const type = checked.type === undefined ? undefined : schemaOf(typeOf(checked.type));
    const state = openStateOf(select(checked.backend), opening, checked, undefined, describe);
    const { schema } = state.geometry;
    if (type === undefined || type === schema) return arrayIn(state);
    state.close();
    throw new InterprocError(
      'ERR_MISMATCH',
      `open '${name}': an array of type ${schema} is there, one of type ${type} was asked for; ask for what it was created with, or open it by its name alone`,
    );
  }

  const named =
    (mode: OpenMode) =>
    (name: unknown, type: unknown, lengthOrValues: unknown, options?: StateHandleOptions) =>
      make(mode, checkName(name), type, lengthOrValues, options);

  function Bound(
    this: unknown,
    type: unknown,
    lengthOrValues: unknown,
    options?: StateHandleOptions,
  ) {
    if (new.target === undefined) {
      throw new InterprocError(
        'ERR_INVALID_ARG',
        "SharedArray() makes an array by 'new SharedArray(type, length)'",
      );
    }
    return make('anonymous', undefined, type, lengthOrValues, options);
  }
  Bound.create = named('create');
  Bound.openOrCreate = named('openOrCreate');
  Bound.open = (name: unknown, options?: OpenArrayOptions) => open(checkName(name), options);
  Bound.openWhenAvailable = async (name: unknown, options?: OpenArrayOptions & WaitOptions) => {
    const known = checkName(name);
    return openWhenAvailable(() => open(known, options, ALSO_WAITS), known, options);
  };
  // The arrays of each type are of a class of their own, typed arrays most of them.
  Object.defineProperty(Bound, Symbol.hasInstance, {
    value: (object: unknown) =>
      typeof object === 'object' && object !== null && findCore(object) !== undefined,
  });
  handles.add(ARRAY_TRAVELS_AS, (backend, ticket) => {
    const array = arrayIn(backend.openStateTicket(ticket, 'array'));
    return array as object & { close(): void };
  });
  Object.defineProperty(Bound, 'name', { value: 'SharedArray' });
  return Bound as unknown as SharedArrayConstructor;
}
