import { InterprocError, invalidArgument } from '../errors.js';
import type { OpenMode } from '../contract/channel.js';
import { wholeBytes } from '../contract/state.js';
import type { State } from '../contract/state.js';
import { findScalarType, SCALAR_TYPE_LIST } from '../shapes/scalar-types.js';
import type { ScalarType, ScalarTypeName, ScalarValueOf } from '../shapes/scalar-types.js';
import { isStruct, shapeOf, structOfSchema } from '../shapes/struct.js';
import type { StructType } from '../shapes/struct.js';
import type { StructInput } from '../shapes/struct-types.js';
import type { BackendSelector } from './bind-queue.js';
import { checkName } from './name.js';
import { openWhenAvailable } from './open-when-available.js';
import type { HandleClasses } from './passengers.js';
import type { QueueMode } from './queue-options.js';
import { bytesOfScalar, scalarValue } from './scalar-value.js';
import { ALSO_WAITS, checkStateOptions, openStateOf } from './state-options.js';
import type { StateContents, StateHandleOptions } from './state-options.js';
import { StructValue } from './struct-value.js';
import { Value, VALUE_TRAVELS_AS } from './value.js';
import type { Assignable } from './value.js';
import type { WaitOptions } from './wait-options.js';

/** How a value that is there is opened. */
export interface OpenValueOptions<Type = unknown> extends StateHandleOptions {
  /**
   * The type that it is expected to have: ERR_MISMATCH if it has another.
   * @default undefined: whatever it has
   */
  readonly type?: Type | undefined;
}

/** `Value.create` and `Value.openOrCreate`. */
export interface MakeValue {
  <N extends ScalarTypeName>(
    name: string,
    type: N,
    initial?: Assignable<ScalarValueOf<N>>,
    options?: StateHandleOptions,
  ): Value<ScalarValueOf<N>, never>;
  <T, Live>(
    name: string,
    type: StructType<T, Live>,
    initial?: StructInput<T>,
    options?: StateHandleOptions,
  ): Value<T, Live>;
}

/** The class `Value` as users see it. */
export interface ValueConstructor {
  /**
   * An anonymous value: no name, and it goes with its last participant.
   *
   * @param type a scalar type by name or letter, or a `Struct`
   * @param initial zero, false, '\0', or a struct of those by default
   * @throws ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  new <N extends ScalarTypeName>(
    type: N,
    initial?: Assignable<ScalarValueOf<N>>,
    options?: StateHandleOptions,
  ): Value<ScalarValueOf<N>, never>;
  new <T, Live>(
    type: StructType<T, Live>,
    initial?: StructInput<T>,
    options?: StateHandleOptions,
  ): Value<T, Live>;
  readonly prototype: Value;
  /**
   * A new value.
   *
   * @throws ERR_EXISTS if an object of this name is there; ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION
   */
  readonly create: MakeValue;
  /**
   * A value that is there; its type is known from it.
   *
   * @throws ERR_NOT_FOUND; ERR_KIND if it is no value; ERR_MISMATCH if it has another type or other options than are asked for;
   * ERR_VERSION, ERR_CORRUPT, ERR_NO_SLOT, ERR_INVALID_ARG, ERR_PERMISSION
   */
  open<N extends ScalarTypeName>(
    name: string,
    options: OpenValueOptions<N> & { readonly type: N },
  ): Value<ScalarValueOf<N>, never>;
  open<T, Live>(
    name: string,
    options: OpenValueOptions<StructType<T, Live>> & { readonly type: StructType<T, Live> },
  ): Value<T, Live>;
  open<T = unknown, Live = unknown>(name: string, options?: OpenValueOptions): Value<T, Live>;
  /**
   * The value that is there, as it is, or else a new one with `initial`.
   *
   * @throws as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS
   */
  readonly openOrCreate: MakeValue;
  /**
   * The value, as soon as some process has created it. The wait keeps this process alive.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; else as `open`, without ERR_NOT_FOUND
   */
  openWhenAvailable<N extends ScalarTypeName>(
    name: string,
    options: OpenValueOptions<N> & WaitOptions & { readonly type: N },
  ): Promise<Value<ScalarValueOf<N>, never>>;
  openWhenAvailable<T = unknown, Live = unknown>(
    name: string,
    options?: OpenValueOptions & WaitOptions,
  ): Promise<Value<T, Live>>;
}

type AnyStruct = StructType<unknown, unknown>;
export type AnyType = ScalarType | AnyStruct;

/** @throws ERR_INVALID_ARG */
export function typeOf(type: unknown): AnyType {
  const scalar = findScalarType(type);
  if (scalar !== undefined) return scalar;
  if (isStruct(type)) return type;
  throw invalidArgument('The type', `a Struct, or one of ${SCALAR_TYPE_LIST}`, type);
}

/** What stands in the segment for a type. */
export function schemaOf(type: AnyType): string {
  return isStruct(type) ? type.schema : (type as ScalarType).name;
}

/**
 * The type that stands in a segment.
 * @throws ERR_CORRUPT
 */
export function typeOfSchema(schema: string): AnyType {
  return findScalarType(schema) ?? structOfSchema(schema);
}

function contentsOf(type: AnyType): StateContents {
  const { byteLength } = type;
  const schema = schemaOf(type);
  return isStruct(type)
    ? { byteLength: 2 * wholeBytes(byteLength), schema, parameter: byteLength }
    : { byteLength, schema, parameter: 0 };
}

const describe = ({ schema }: StateContents): string => `a value of type ${schema}`;

/** The value in a state that was opened. */
function valueIn(state: State): Value {
  try {
    const type = typeOfSchema(state.geometry.schema);
    const { byteLength, parameter } = contentsOf(type);
    if (state.geometry.byteLength !== byteLength || state.geometry.parameter !== parameter) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `Value '${state.name}' has ${state.geometry.byteLength} bytes, which is not what its type ${schemaOf(type)} has`,
      );
    }
    return isStruct(type) ? new StructValue(state, type) : scalarValue(state, type);
  } catch (error) {
    state.close();
    throw error;
  }
}

/** The class `Value`, whose values live on the backends that `select` finds. */
export function bindValue(select: BackendSelector, handles: HandleClasses): ValueConstructor {
  function make(
    mode: QueueMode,
    name: string | undefined,
    asked: unknown,
    initial: unknown,
    options: StateHandleOptions = {},
  ): Value {
    const opening = { kind: 'value', article: 'A value', mode, name, alsoTakes: [] } as const;
    const checked = checkStateOptions(options, opening);
    const type = typeOf(asked);
    const bytes = initial === undefined ? undefined : bytesOf(type, initial);
    const backend = select(checked.backend);
    return valueIn(openStateOf(backend, opening, checked, contentsOf(type), describe, bytes));
  }

  function open(
    name: string,
    options: OpenValueOptions = {},
    alsoTakes: readonly string[] = [],
  ): Value {
    const opening = {
      kind: 'value',
      article: 'A value',
      mode: 'open',
      name,
      alsoTakes: ['type', ...alsoTakes],
    } as const;
    const checked: OpenValueOptions = checkStateOptions(options, opening);
    const contents = checked.type === undefined ? undefined : contentsOf(typeOf(checked.type));
    return valueIn(openStateOf(select(checked.backend), opening, checked, contents, describe));
  }

  const named =
    (mode: OpenMode) =>
    (name: unknown, type: unknown, initial?: unknown, options?: StateHandleOptions) =>
      make(mode, checkName(name), type, initial, options);

  function Bound(this: unknown, type: unknown, initial?: unknown, options?: StateHandleOptions) {
    if (new.target === undefined) {
      throw new InterprocError('ERR_INVALID_ARG', "Value() makes a value by 'new Value(type)'");
    }
    return make('anonymous', undefined, type, initial, options);
  }
  // The value of each type is one of a class of its own; all of them are instances of this.
  Bound.prototype = Value.prototype;
  Bound.create = named('create');
  Bound.openOrCreate = named('openOrCreate');
  Bound.open = (name: unknown, options?: OpenValueOptions) => open(checkName(name), options);
  Bound.openWhenAvailable = async (name: unknown, options?: OpenValueOptions & WaitOptions) => {
    const known = checkName(name);
    return openWhenAvailable(() => open(known, options, ALSO_WAITS), known, options);
  };
  handles.add(VALUE_TRAVELS_AS, (backend, ticket) =>
    valueIn(backend.openStateTicket(ticket, 'value')),
  );
  Object.defineProperty(Bound, 'name', { value: 'Value' });
  return Bound as unknown as ValueConstructor;
}

function bytesOf(type: AnyType, initial: unknown): Uint8Array {
  if (isStruct(type)) return Uint8Array.from(shapeOf(type).pack(initial as never));
  return bytesOfScalar(type, initial);
}
