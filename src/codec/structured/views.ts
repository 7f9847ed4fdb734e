import { VIEWS } from './format.js';

type ViewConstructor = new (
  buffer: ArrayBuffer,
  byteOffset?: number,
  length?: number,
) => ArrayBufferView;

interface ViewKind {
  readonly name: string;
  /** Undefined if this Node does not have it: Float16Array came with 24. */
  readonly constructor: ViewConstructor | undefined;
  readonly elementBytes: number;
}

/** The kinds of views by their places in the format. */
export const VIEW_KINDS: readonly ViewKind[] = VIEWS.map((name) => {
  const constructor = (globalThis as Record<string, unknown>)[name] as
    (ViewConstructor & { BYTES_PER_ELEMENT?: number }) | undefined;
  return { name, constructor, elementBytes: constructor?.BYTES_PER_ELEMENT ?? 1 };
});

const PLACES: ReadonlyMap<string, number> = new Map(VIEWS.map((name, place) => [name, place]));

export function placeOfView(name: string): number | undefined {
  return PLACES.get(name);
}
