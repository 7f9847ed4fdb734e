import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { isStruct, MAX_SCHEMA_BYTES, Struct, structOfSchema } from '../../../src/shapes/struct.js';
import type { StructFields } from '../../../src/shapes/struct-types.js';
import { thrownBy } from '../thrown-by.js';

const Point = Struct({ x: 'float64', y: 'float64', id: 'uint32' });
const Body = Struct({
  alive: 'bool',
  at: Point,
  ticks: 'int64',
  mark: 'char',
  name: ['char', 8],
  m: ['float32', 3],
  flags: ['?', 2],
  path: [Point, 2],
});
const body = {
  alive: true,
  at: { x: 1, y: 2, id: 3 },
  ticks: 4n,
  mark: '!',
  name: 'body',
  m: [1, 2, 3],
  flags: [true, false],
  path: [
    { x: 5, y: 6, id: 7 },
    { x: 8, y: 9, id: 10 },
  ],
};

/** The message of the error of this code that a call throws. */
function refusal(call: () => unknown, code = 'ERR_INVALID_ARG'): string {
  const error = thrownBy(call);
  expect(error).toMatchObject({ code });
  return (error as Error).message;
}

const define = (fields: unknown) => () => Struct(fields as StructFields);

describe('a struct', () => {
  it('shows its layout', () => {
    expect([Point.byteLength, Point.alignment]).toEqual([24, 8]);
    expect(Point.fields).toEqual({
      x: { type: 'float64', byteOffset: 0, byteLength: 8 },
      y: { type: 'float64', byteOffset: 8, byteLength: 8 },
      id: { type: 'uint32', byteOffset: 16, byteLength: 4 },
    });
    const { at, name, path } = Body.fields;
    expect(at).toEqual({ type: Point, byteOffset: 8, byteLength: 24 });
    expect(name).toEqual({ type: ['char', 8], byteOffset: 41, byteLength: 8 });
    expect(path.type).toEqual([Point, 2]);
    expect(Object.keys(Body.fields)).toEqual(Object.keys(body));
    expect(inspect(Point)).toBe("Struct { x: 'float64', y: 'float64', id: 'uint32' }");
  });

  it('cannot be changed', () => {
    for (const object of [Point, Point.fields, Point.fields.x, Body.fields.name.type]) {
      expect(Object.isFrozen(object)).toBe(true);
    }
  });

  it('is known by its schema, whatever its types were called', () => {
    expect(Point.schema).toBe('{"x":"float64","y":"float64","id":"uint32"}');
    expect(Struct({ x: 'd', y: 'd', id: 'I' }).schema).toBe(Point.schema);
    expect(Struct({ y: 'd', x: 'd', id: 'I' }).schema).not.toBe(Point.schema);
    expect(Struct({ p: [Point, 2] }).schema).toBe(`{"p":[${Point.schema},2]}`);
    expect(structOfSchema(Body.schema).read(new Uint8Array(200))).toEqual(
      Body.read(new Uint8Array(200)),
    );
  });

  it('is told from what only looks like one', () => {
    expect(isStruct(Point)).toBe(true);
    for (const value of [{ ...Point }, Object.create(Point), 'x', null, undefined, Struct]) {
      expect(isStruct(value)).toBe(false);
    }
  });

  it.each<[string, unknown, string]>([
    ['an unknown type', { x: 'float' }, "Field 'x' takes int8 (b), .*; received 'float'"],
    ['an unknown letter', { x: 'u' }, "char \\(c\\), a Struct.*; received 'u'"],
    ['a name of every object', { x: 'toString' }, 'toString'],
    ['the fields of a struct', { x: { y: 'int8' } }, "Field 'x' takes .*a Struct"],
    ['nothing', { x: undefined }, 'undefined'],
    ['a number', { x: 8 }, '8'],
    ['no fields', {}, 'one field at least'],
    ['an array of fields', ['int8'], 'int8'],
    ['null', null, 'null'],
    ['a type alone', 'int8', "'int8'"],
    ['an array of no length', { x: ['int8'] }, '\\[type, length\\]'],
    ['an array of two lengths', { x: ['int8', 2, 3] }, '\\[type, length\\]'],
    ['an array of length 0', { x: ['int8', 0] }, "Field 'x': the length.*received 0"],
    ['a negative length', { x: ['int8', -1] }, '-1'],
    ['a broken length', { x: ['int8', 1.5] }, '1.5'],
    ['a length that is NaN', { x: ['int8', NaN] }, 'NaN'],
    ['a length without end', { x: ['int8', Infinity] }, 'Infinity'],
    ['a length as a text', { x: ['int8', '3'] }, "'3'"],
    ['an array of an unknown type', { x: ['floats', 3] }, "'floats'"],
    ['a name with a space', { 'a b': 'int8' }, "'a b'"],
    ['a name of digits', { 7: 'int8' }, "'7'"],
    ['a name of other letters', { größe: 'int8' }, 'größe'],
    ['no name', { '': 'int8' }, "''"],
    ['a symbol for a name', { [Symbol('s')]: 'int8' }, 'Symbol\\(s\\)'],
    ['__proto__', { ['__proto__']: 'int8' }, "'__proto__'"],
    ['constructor', { constructor: 'int8' }, "'constructor'"],
    ['toJSON', { toJSON: 'int8' }, "'toJSON'"],
    ['hasOwnProperty', { hasOwnProperty: 'int8' }, "'hasOwnProperty'"],
  ])('is not made of %s', (_, fields, part) => {
    expect(refusal(define(fields))).toMatch(new RegExp(part.replaceAll('(b)', '\\(b\\)')));
  });

  it('has 1 GiB at most', () => {
    expect(Struct({ x: ['int8', 2 ** 30] }).byteLength).toBe(2 ** 30);
    for (const fields of [
      { x: ['int8', 2 ** 30 + 1] },
      { x: ['float64', 2 ** 60] },
      { x: ['int8', 2 ** 30], y: 'int8' },
      { x: [['float64', 2 ** 20], 2 ** 20] },
    ]) {
      refusal(define(fields), 'ERR_TOO_LARGE');
    }
  });

  it('has a definition of 3,000 bytes at most', () => {
    const fields = (count: number, last: string) =>
      Object.fromEntries([
        ...Array.from({ length: count }, (_, i) => [`field${100 + i}`, 'int8']),
        [last, 'int8'],
      ]) as StructFields;
    const room = MAX_SCHEMA_BYTES - Struct(fields(150, 'x')).schema.length;
    const largest = Struct(fields(150, 'x'.repeat(room + 1)));
    expect(largest.schema.length).toBe(MAX_SCHEMA_BYTES);
    expect(structOfSchema(largest.schema).schema).toBe(largest.schema);
    refusal(define(fields(150, 'x'.repeat(room + 2))), 'ERR_TOO_LARGE');
  });

  it('has 32 levels at most', () => {
    let type: unknown = 'int8';
    for (let i = 0; i < 31; i++) type = [type, 1];
    define({ x: type })();
    expect(refusal(define({ x: [type, 1] }))).toContain('32 levels');
    let struct = Struct({ x: 'int8' });
    for (let i = 0; i < 31; i++) struct = Struct({ x: struct }) as unknown as typeof struct;
    expect(refusal(define({ x: struct }))).toContain('32 levels');
    const inItself: unknown[] = [undefined, 1];
    inItself[0] = inItself;
    expect(refusal(define({ x: inItself }))).toContain('32 levels');
  });

  it('works where nothing may be compiled at run time', () => {
    const index = fileURLToPath(new URL('../../../dist/shapes/struct.js', import.meta.url));
    const program = `
      import { Struct } from ${JSON.stringify(index)};
      const Point = Struct({ x: 'float64', id: 'uint32', m: ['int16', 2] });
      const memory = new ArrayBuffer(16);
      Point.write(memory, 0, { x: 1.5, id: 2, m: [3, 4] });
      const record = Point.view(memory);
      record.id++;
      record.m[1]++;
      process.stdout.write(JSON.stringify([Point.read(memory), record]));`;
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', program];
    const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      { x: 1.5, id: 3, m: [3, 5] },
      { x: 1.5, id: 3, m: [3, 5] },
    ]);
  });
});

describe('a schema that is none', () => {
  it.each([
    '',
    'x',
    '{}',
    '[]',
    '"int8"',
    'null',
    '{"x":"d"}',
    '{"x": "float64"}',
    '{"x":"float64"}\n',
    '{"x":"int8","x":"int8"}',
    '{"x":"float"}',
    '{"x":["int8",0]}',
    '{"x":["int8",1e99]}',
    '{"x":{}}',
    '{"__proto__":"int8"}',
    '{"__proto__":{"x":"int8"}}',
    '{"1":"int8"}',
    `{"x":${'['.repeat(1000)}"int8"${',1]'.repeat(1000)}}`,
    '['.repeat(1_000_000),
    `{"x":${'['.repeat(100_000)}"int8"${',1]'.repeat(100_000)}}`,
    `{"x${'x'.repeat(MAX_SCHEMA_BYTES)}":"int8"}`,
  ])('is refused: %.40s', (schema) => {
    expect(refusal(() => structOfSchema(schema), 'ERR_CORRUPT')).toContain('is no struct');
  });
});

describe('writing a value', () => {
  const memory = () => new Uint8Array(Body.byteLength).fill(0xa5);

  it('says which field is wrong, and writes nothing', () => {
    const cases: [object, string][] = [
      [{ alive: 1 }, "Field 'alive' (bool) takes true or false; received 1"],
      [{ alive: undefined }, "Field 'alive' (bool)"],
      [{ at: { x: 1, y: 2 } }, "Field 'at.id' (uint32) takes a whole number; received undefined"],
      [{ at: { x: 1, y: '2', id: 3 } }, "Field 'at.y' (float64) takes a number; received '2'"],
      [{ at: { x: 1, y: 2, id: 3, z: 4 } }, "no field 'at.z'; it has x, y, id"],
      [{ at: 3 }, "Field 'at' takes an object with x, y, id; received 3"],
      [{ at: null }, "Field 'at' takes an object with x, y, id; received null"],
      [{ ticks: 1.5 }, "Field 'ticks' (int64)"],
      [{ mark: 'ab' }, "Field 'mark' (char)"],
      [{ name: 7 }, "Field 'name' (char[8]) takes a string; received 7"],
      [{ name: 'a\0b' }, "Field 'name' (char[8]) takes characters from U+0001"],
      [{ name: '€' }, "Field 'name' (char[8]) takes characters from U+0001"],
      [{ m: [1, 2] }, "Field 'm' takes 3 of float32; received 2 of them"],
      [{ m: [1, 2, 3, 4] }, "Field 'm' takes 3 of float32; received 4 of them"],
      [{ m: [1, '2', 3] }, "Field 'm[1]' (float32) takes a number; received '2'"],
      [{ m: new Set([1, 2, 3]) }, "Field 'm' takes 3 of float32"],
      [{ m: '123' }, "Field 'm' takes 3 of float32; received '123'"],
      [{ m: new BigInt64Array(3) }, "Field 'm[0]' (float32) takes a number; received 0n"],
      [{ flags: [true, 0] }, "Field 'flags[1]' (bool)"],
      [{ path: [body.at] }, "Field 'path' takes an array of 2; received 1 of them"],
      [{ path: [body.at, { ...body.at, x: null }] }, "Field 'path[1].x' (float64)"],
      [{ z: 1 }, "no field 'z'; it has alive, at"],
    ];
    for (const [part, message] of cases) {
      const bytes = memory();
      const call = () => Body.write(bytes, 0, { ...body, ...part });
      expect(refusal(call)).toContain(message);
      expect(bytes).toEqual(memory());
    }
    for (const value of [undefined, null, 3, 'text', () => 1]) {
      refusal(() => Body.write(memory(), 0, value as never));
    }
    expect(
      refusal(() => Body.write(memory(), 0, { ...body, name: '123456789' }), 'ERR_TOO_LARGE'),
    ).toContain("Field 'name' (char[8]) holds 8 characters; '123456789' has 9");
  });

  it('takes typed arrays, and what else has a length', () => {
    const bytes = memory();
    Body.write(bytes, 0, {
      ...body,
      m: Float32Array.of(1.5, NaN, -0),
      flags: Uint8Array.of(7, 0),
      path: { length: 2, 0: body.at, 1: body.at },
    });
    expect(Body.read(bytes)).toEqual({
      ...body,
      m: [1.5, NaN, -0],
      flags: [true, false],
      path: [body.at, body.at],
    });
    expect(bytes[Body.fields.flags.byteOffset]).toBe(1);
    Body.write(bytes, 0, { ...body, m: Int16Array.of(1, 2, 3), ticks: -1 });
    expect(Body.read(bytes)).toMatchObject({ m: [1, 2, 3], ticks: -1n });
  });

  it('takes objects of a class, by their getters', () => {
    class Mine {
      get x(): number {
        return 1;
      }
      readonly y = 2;
      readonly id = 3;
    }
    const bytes = new Uint8Array(24);
    Point.write(bytes, 0, new Mine());
    expect(Point.read(bytes)).toEqual(body.at);
  });

  it('is not disturbed by what getters of the value write', () => {
    const [one, two] = [new Uint8Array(24), new Uint8Array(24)];
    Point.write(one, 0, {
      x: 1,
      get y() {
        Point.write(two, 0, { x: 10, y: 20, id: 30 });
        return 2;
      },
      id: 3,
    });
    expect(Point.read(one)).toEqual({ x: 1, y: 2, id: 3 });
    expect(Point.read(two)).toEqual({ x: 10, y: 20, id: 30 });
  });

  it('overwrites what stood there: padding and the rest of a text too', () => {
    const bytes = memory();
    Body.write(bytes, 0, { ...body, name: '12345678' });
    expect(Body.read(bytes).name).toBe('12345678');
    Body.write(bytes, 0, { ...body, name: '' });
    const clean = new Uint8Array(Body.byteLength);
    Body.write(clean, 0, { ...body, name: '' });
    expect(bytes).toEqual(clean);
  });
});

describe('a place in memory', () => {
  it('is in a buffer or a view of one', () => {
    const buffer = new ArrayBuffer(64);
    Point.write(new DataView(buffer, 8), 16, { x: 1, y: 2, id: 3 });
    const expected = { x: 1, y: 2, id: 3 };
    expect(Point.read(buffer, 24)).toEqual(expected);
    expect(Point.read(new Uint8Array(buffer, 24))).toEqual(expected);
    expect(Point.read(new Float64Array(buffer, 16), 8)).toEqual(expected);
    expect(Point.view(new Uint16Array(buffer, 6), 18).id).toBe(3);
  });

  it.each<[unknown, unknown]>([
    [new ArrayBuffer(23), 0],
    [new ArrayBuffer(24), 1],
    [new ArrayBuffer(24), 8],
    [new ArrayBuffer(48), 25],
    [new ArrayBuffer(48), -1],
    [new ArrayBuffer(48), 0.5],
    [new ArrayBuffer(48), NaN],
    [new ArrayBuffer(48), '0'],
    [new ArrayBuffer(48), null],
    [new Uint8Array(new ArrayBuffer(48), 30), 0],
    [new ArrayBuffer(0), 0],
    [undefined, 0],
    [null, 0],
    [{ byteLength: 100 }, 0],
    [[1, 2, 3], 0],
    ['memory', 0],
  ])('is not %o at %o', (memory, byteOffset) => {
    const bytes = memory as ArrayBuffer;
    refusal(() => Point.read(bytes, byteOffset as number));
    refusal(() => Point.view(bytes, byteOffset as number));
    refusal(() => Point.write(bytes, byteOffset as number, body.at));
  });

  it('is aligned for a record only', () => {
    const buffer = new ArrayBuffer(64);
    Point.write(buffer, 3, body.at);
    expect(Point.read(buffer, 3)).toEqual(body.at);
    expect(refusal(() => Point.view(buffer, 4))).toMatch(/multiple of 8 .* received 4/);
    expect(refusal(() => Point.view(new Uint8Array(buffer, 4), 1))).toMatch(/received 5/);
    Point.view(new Uint8Array(buffer, 4), 4);
  });

  it('is gone once the buffer is detached', () => {
    const buffer = new ArrayBuffer(Body.byteLength);
    const record = Body.view(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    expect(() => record.ticks).toThrow(TypeError);
    expect(() => (record.ticks = 1n)).toThrow(TypeError);
    expect(() => record.at).toThrow(TypeError);
    expect(() => (record.m = Float32Array.of(1, 2, 3))).toThrow(TypeError);
    refusal(() => Body.read(buffer));
    refusal(() => Body.view(buffer));
  });
});

describe('a record', () => {
  const fresh = () => {
    const memory = new ArrayBuffer(Body.byteLength);
    Body.write(memory, 0, body);
    return { memory, record: Body.view(memory) };
  };

  it('changes the memory, and sees it change', () => {
    const { memory, record } = fresh();
    record.ticks += 2n;
    record.at.x = 1.5;
    record.m[2] = 7;
    record.flags.fill(1);
    (record.path[1] as { x: number }).x = 8.5;
    record.name = 'ß';
    expect(Body.read(memory)).toEqual({
      ...body,
      ticks: 6n,
      at: { ...body.at, x: 1.5 },
      m: [1, 2, 7],
      flags: [true, true],
      path: [body.path[0], { ...body.path[1], x: 8.5 }],
      name: 'ß',
    });
    Body.write(memory, 0, body);
    expect([record.ticks, record.at.x, record.m[2], record.name]).toEqual([4n, 1, 3, 'body']);
  });

  it('gives the same part each time', () => {
    const { record } = fresh();
    expect(record.at).toBe(record.at);
    expect(record.m).toBe(record.m);
    expect(record.path).toBe(record.path);
    expect(record.m).toBeInstanceOf(Float32Array);
  });

  it('is assigned a whole part, or nothing of it', () => {
    const { memory, record } = fresh();
    const { at, m, path } = record;
    record.at = { x: 10, y: 20, id: 30 };
    record.m = Float32Array.of(4, 5, 6);
    record.path = [record.at, record.at];
    expect([at.x, m[0], path[1]?.y]).toEqual([10, 4, 20]);
    const before = Body.read(memory);
    expect(refusal(() => (record.at = { x: 1, y: 2 } as never))).toContain("Field 'at.id'");
    expect(refusal(() => (record.m = [7, 8] as never))).toContain("Field 'm'");
    expect(refusal(() => (record.path = [at, {}] as never))).toContain("Field 'path[1].x'");
    expect(refusal(() => (record.ticks = 1.5 as never))).toContain("Field 'ticks' (int64)");
    expect(refusal(() => (record.alive = 1 as never))).toContain("Field 'alive' (bool)");
    refusal(() => (record.name = '123456789'), 'ERR_TOO_LARGE');
    expect(Body.read(memory)).toEqual(before);
  });

  it('has its fields, and takes no others', () => {
    const { record } = fresh();
    expect(() => Object.assign(record, { z: 1 })).toThrow(TypeError);
    expect(() => Object.assign(record.path, [record.at])).toThrow(TypeError);
    expect(JSON.stringify(Point.view(new ArrayBuffer(24)))).toBe('{"x":0,"y":0,"id":0}');
    expect(inspect(record.at)).toBe('Record { x: 1, y: 2, id: 3 }');
    expect(inspect({ a: { b: record.at } }, { depth: 1 })).toBe('{ a: { b: [Record] } }');
  });

  it('is not changed by who changes its class', () => {
    const { record } = fresh();
    const prototype = Object.getPrototypeOf(record) as object;
    expect(Object.isFrozen(prototype)).toBe(true);
  });
});

describe('a char array', () => {
  const Text = Struct({ short: ['char', 4], long: ['c', 40] });

  it('is a string up to the first NUL, or to its end', () => {
    const bytes = new Uint8Array(Text.byteLength);
    bytes.set(Buffer.from('ab\0d', 'latin1'), 0);
    bytes.set(Buffer.alloc(40, 'é', 'latin1'), 4);
    expect(Text.read(bytes)).toEqual({ short: 'ab', long: 'é'.repeat(40) });
    bytes[14] = 0;
    bytes[3] = 0x64;
    bytes[2] = 0x63;
    expect(Text.read(bytes)).toEqual({ short: 'abcd', long: 'é'.repeat(10) });
  });
});
