/**
 * How objects of a class of this package travel in messages, which would otherwise be refused or arrive as plain
 * objects: a queue inside a message.
 */
export interface Travel {
  /**
   * What `unpack` needs, wherever it is called; undefined for an object that is another's. Asked once for each
   * object of a message that is no plain object, array or built-in of JavaScript, so it should tell at a look
   * (`#brand in object`). The bytes are copied at once. The message may still fail to be encoded, or be dropped.
   */
  pack(object: object): Uint8Array | undefined;
  /** The object of those bytes, which are a copy. What it throws becomes the `cause` of ERR_DECODE. */
  unpack(bytes: Uint8Array): object;
}

const travels = new Map<string, Travel>();

/** Makes a kind of objects travel. The name is part of the message: it is the same in all processes. */
export function registerTravel(name: string, travel: Travel): void {
  if (travels.has(name)) throw new Error(`'${name}' is registered already`);
  travels.set(name, travel);
}

export function travelNamed(name: string): Travel | undefined {
  return travels.get(name);
}

/** The name and the bytes of an object that travels by one of the registered ways. */
export function packed(object: object): { name: string; bytes: Uint8Array } | undefined {
  for (const [name, travel] of travels) {
    const bytes = travel.pack(object);
    if (bytes !== undefined) return { name, bytes };
  }
  return undefined;
}
