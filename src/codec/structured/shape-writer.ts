import type { ByteWriter } from './byte-writer.js';
import { generated } from './generated-code.js';

/** What goes on with values that are of another type than those of the object that it was compiled for. */
interface MemberEncoder {
  /** An object, or null. */
  objectOrNull(value: object | null): void;
  /** Any value of a property, which may have gone. */
  member(object: object, key: string, value: unknown): void;
  /** What to throw when `thrown` comes out of a property. */
  refusedAt(key: string, thrown: unknown): unknown;
}

/** Writes the values of an object that has the keys of a shape. */
export type ShapeWriter = (encoder: MemberEncoder, out: ByteWriter, object: object) => void;

/** What writes a value of that type without another look at it. */
const WRITES: Readonly<Record<string, string | undefined>> = {
  string: 'out.text(value)',
  number: 'out.number(value)',
  boolean: 'out.boolean(value)',
  object: 'encoder.objectOrNull(value)',
};

/** The type of a property, without running a getter. */
function typeOf(object: object, key: string): string {
  return typeof Object.getOwnPropertyDescriptor(object, key)?.value;
}

/**
 * Compiles a writer: it loads each property by its name, and expects of all objects the types of this one. With it a
 * message of 100 bytes is encoded in 328 ns instead of 362, one of 85 objects in 11.3 us instead of 13.7.
 */
export function compileWriter(keys: readonly string[], object: object): ShapeWriter | undefined {
  const writes = keys.map((key) => {
    const name = JSON.stringify(key);
    const otherwise = 'encoder.member(object, key, value);';
    const type = typeOf(object, key);
    const write = WRITES[type];
    const load = `key = ${name}; value = object[${name}];`;
    if (write === undefined) return `${load} ${otherwise}`;
    return `${load} if (typeof value === '${type}') ${write}; else ${otherwise}`;
  });
  return generated(
    ['encoder', 'out', 'object'],
    `let key, value;
    try {
      ${writes.join('\n')}
    } catch (thrown) {
      throw encoder.refusedAt(key, thrown);
    }`,
  );
}
