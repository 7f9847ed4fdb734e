/**
 * A ticket as it stands in a message: the file that keeps the object alive (native/memory/ticket.h), and the
 * object's name.
 */

export interface NativeTicket {
  readonly file: string;
  /** What `identity` of the object is. */
  readonly object: bigint;
  readonly name: string;
}

const FILE = '~ticket-';
const FORM =
  /^(~ticket-([0-9a-f]{16})-[0-9a-f]{16}-[0-9a-f]{16})\/(~[0-9a-f]{24}|[A-Za-z0-9._-]{1,200})$/;
const FILE_FORM = /^~ticket-[0-9a-f]{16}-([0-9a-f]{16})-[0-9a-f]{16}$/;
const FILE_LENGTH = FILE.length + 3 * 16 + 2;

export function formatTicket(file: string, name: string): string {
  return `${file}/${name}`;
}

export function parseTicket(text: string): NativeTicket | undefined {
  const [, file, object, name] = FORM.exec(text) ?? [];
  if (file === undefined || object === undefined || name === undefined) return undefined;
  return { file, object: BigInt(`0x${object}`), name };
}

/**
 * Calls back with every place in a message of `carrier` where a ticket's file may stand. Tickets of other carriers
 * stand there as text only: what this message holds is none of theirs.
 */
export function findTicketFiles(
  message: Uint8Array,
  carrier: bigint,
  found: (file: string, offset: number) => void,
): void {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  for (let at = bytes.indexOf(FILE); at >= 0; at = bytes.indexOf(FILE, at + 1)) {
    const file = bytes.toString('latin1', at, at + FILE_LENGTH);
    const [, itsCarrier] = FILE_FORM.exec(file) ?? [];
    if (itsCarrier !== undefined && BigInt(`0x${itsCarrier}`) === carrier) found(file, at);
  }
}
