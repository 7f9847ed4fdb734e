import fc from 'fast-check';

/**
 * Values that structured clone carries: graphs in which any object may contain any other, itself included. A graph is
 * generated as a list of nodes that refer to each other by number, so that it shrinks to the few that matter.
 */

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ minLength: 240, maxLength: 270 }),
  fc.string({ unit: fc.nat(0xff).map((unit) => String.fromCharCode(unit)), maxLength: 80 }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 80 }),
);

const primitive: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.constantFrom(undefined, null, true, false, -0, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31)),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 700n), max: 2n ** 700n }),
);

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'id', 'name', '__proto__', 'constructor', 'toString', 'length', ''),
  fc.constantFrom('0', '1', '7', '01', '-1', '1.5', '4294967294', '4294967295'),
  text,
  fc.constantFrom('k'.repeat(127), 'k'.repeat(128), 'ü'.repeat(200), '€'.repeat(127)),
);

type Slot = { readonly primitive: unknown } | { readonly node: number };

const slot: fc.Arbitrary<Slot> = fc.oneof(
  { weight: 2, arbitrary: primitive.map((value) => ({ primitive: value })) },
  { weight: 1, arbitrary: fc.nat(11).map((node) => ({ node })) },
);

class Point {
  x = 1;
  get shown(): string {
    return 'on the prototype';
  }
}

const VIEWS = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  (globalThis as { Float16Array?: typeof Float32Array }).Float16Array ?? Float32Array,
];

/** One object, and how what it refers to is put into it. */
interface Node {
  readonly object: object;
  fill(resolve: (slot: Slot) => unknown): void;
}

const members = fc.array(fc.tuple(key, slot), { maxLength: 6 });
const many = fc
  .integer({ min: 60, max: 70 })
  .chain((count) =>
    slot.map((value) =>
      Array.from({ length: count }, (_, i): [string, Slot] => [`key${i}`, value]),
    ),
  );

function defineAll(object: object, entries: ReadonlyArray<[string, Slot]>): Node['fill'] {
  return (resolve) => {
    for (const [name, value] of entries) {
      // On arrays, length is no property to be defined at will.
      if (name === 'length' && Array.isArray(object)) continue;
      Object.defineProperty(object, name, {
        value: resolve(value),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  };
}

const objects = fc
  .tuple(fc.constantFrom('plain', 'null', 'instance', 'getters'), fc.oneof(members, members, many))
  .map(([kind, entries]) => (): Node => {
    if (kind === 'getters') {
      const object = {};
      return {
        object,
        fill(resolve) {
          for (const [name, value] of entries) {
            const got = resolve(value);
            Object.defineProperty(object, name, {
              get: () => got,
              enumerable: true,
              configurable: true,
            });
          }
        },
      };
    }
    const object =
      kind === 'plain' ? {} : kind === 'null' ? (Object.create(null) as object) : new Point();
    return { object, fill: defineAll(object, entries) };
  });

const denseArrays = fc.array(slot, { maxLength: 8 }).map((slots) => (): Node => {
  const object: unknown[] = [];
  return { object, fill: (resolve) => void object.push(...slots.map(resolve)) };
});

class Stack extends Array<unknown> {}

const looseArrays = fc
  .tuple(
    fc.boolean(),
    fc.oneof(fc.nat(20), fc.constantFrom(1024, 1025, 1026, 2000, 2 ** 32 - 1)),
    members,
  )
  .map(([isStack, length, entries]) => (): Node => {
    const object = isStack ? new Stack() : [];
    const fill = defineAll(object, entries);
    return {
      object,
      fill(resolve) {
        object.length = length;
        fill(resolve);
      },
    };
  });

const maps = fc.array(fc.tuple(slot, slot), { maxLength: 5 }).map((entries) => (): Node => {
  const object = new Map<unknown, unknown>();
  return {
    object,
    fill(resolve) {
      for (const [name, value] of entries) object.set(resolve(name), resolve(value));
    },
  };
});

const sets = fc.array(slot, { maxLength: 5 }).map((slots) => (): Node => {
  const object = new Set<unknown>();
  return {
    object,
    fill(resolve) {
      for (const value of slots) object.add(resolve(value));
    },
  };
});

const errors = fc
  .record(
    {
      kind: fc.constantFrom(
        Error,
        EvalError,
        RangeError,
        ReferenceError,
        SyntaxError,
        TypeError,
        URIError,
        class OwnError extends RangeError {},
      ),
      name: fc.constantFrom<unknown>('TypeError', 'OwnError', 7, undefined),
      message: fc.oneof(text, fc.constant(5)),
      stack: fc.oneof(text, fc.constantFrom(undefined, 5)),
      // V8 cannot read an error whose cause refers to it, so causes here refer to nothing.
      cause: primitive,
      code: text,
    },
    { requiredKeys: ['kind'] },
  )
  .map(({ kind, ...properties }) => (): Node => {
    const error = new kind();
    for (const [name, value] of Object.entries(properties)) {
      Object.defineProperty(error, name, {
        value,
        writable: true,
        enumerable: name === 'code',
        configurable: true,
      });
    }
    return { object: error, fill() {} };
  });

const leaves = fc
  .oneof(
    fc.date({ noInvalidDate: false }).map((date) => () => new Date(date)),
    fc
      .tuple(
        fc.constantFrom('a+', '(?<x>\\/)|[^"\\n]', '', '\\u{1f600}'),
        fc.constantFrom('', 'g', 'dgimsy', 'v'),
      )
      .map(([source, flags]) => () => {
        const regexp = new RegExp(source, source.includes('u{') ? 'u' : flags);
        regexp.lastIndex = 3;
        return regexp;
      }),
    fc
      .oneof(fc.boolean(), fc.double(), fc.bigInt(), text)
      .map((value) => () => Object(value) as object),
  )
  .map((make) => (): Node => ({ object: make(), fill() {} }));

// Views of one buffer share it, in pairs.
const buffers = fc
  .record({
    bytes: fc.uint8Array({ minLength: 0, maxLength: 80 }),
    resizable: fc.boolean(),
    views: fc.array(
      fc.record({
        kind: fc.constantFrom(...VIEWS),
        start: fc.nat(9),
        length: fc.oneof(fc.nat(8), fc.constant(undefined)),
      }),
      { maxLength: 3 },
    ),
    withBuffer: fc.boolean(),
  })
  .map(({ bytes, resizable, views, withBuffer }) => (): Node => {
    const buffer: ArrayBuffer = resizable
      ? Reflect.construct(ArrayBuffer, [bytes.length, { maxByteLength: bytes.length + 16 }])
      : new ArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    const made = views.flatMap(({ kind, start, length }) => {
      try {
        const size = (kind as typeof Int8Array).BYTES_PER_ELEMENT ?? 1;
        return [Reflect.construct(kind, [buffer, start * size, length]) as object];
      } catch {
        // It does not fit.
        return [];
      }
    });
    if (withBuffer) made.push(buffer);
    return { object: made, fill() {} };
  });

const node = fc.oneof(
  { weight: 4, arbitrary: objects },
  { weight: 2, arbitrary: denseArrays },
  looseArrays,
  maps,
  sets,
  errors,
  leaves,
  buffers,
);

/** Any of them. */
export const anyValue: fc.Arbitrary<unknown> = fc
  .tuple(slot, fc.array(node, { maxLength: 8 }))
  .map(([root, makers]) => {
    const nodes = makers.map((make) => make());
    const resolve = (of: Slot): unknown =>
      'primitive' in of ? of.primitive : nodes[of.node % Math.max(1, nodes.length)]?.object;
    for (const { fill } of nodes) fill(resolve);
    return nodes.length > 0 && 'primitive' in root ? nodes[0]?.object : resolve(root);
  });
