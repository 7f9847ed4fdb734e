/** What carries handles in its messages: queues and ends of pipes. */

import { InterprocError } from '../../errors.js';
import type { SharedObject, Ticket } from '../../contract/shared-object.js';
import { guarded } from './failures.js';
import { NativeObject } from './native-object.js';
import type { NativeThread } from './native-thread.js';
import { findTicketFiles, formatTicket, parseTicket } from './tickets.js';

/** Where only the ticket's file matters. */
export const NAMELESS = '.';

/** A ticket for a handle of `passenger` in a message of `carrier`. @throws as Channel.issueTicket */
export function issueTicket(
  thread: NativeThread,
  carrier: NativeObject,
  passenger: SharedObject,
): Ticket {
  if (!(passenger instanceof NativeObject) || !passenger.isOn(thread)) {
    throw new InterprocError(
      'ERR_ENCODE',
      `'${passenger.name}' lives on another backend than '${carrier.name}', whose messages cannot carry it`,
    );
  }
  passenger.assertMovable();
  if (passenger.name === carrier.name && passenger.identity() === carrier.identity()) {
    if ('depart' in passenger) {
      throw new InterprocError(
        'ERR_ENCODE',
        'An end of a pipe cannot be sent through that pipe: nobody could receive it; send it by another',
      );
    }
  }
  const { addon } = thread;
  const what = `'${passenger.name}' in a message of '${carrier.name}'`;
  let file: string;
  try {
    file = guarded(addon.constants, what, () => addon.issueTicket(carrier.token, passenger.token));
  } catch (cause) {
    if ((cause as Partial<InterprocError>).code !== 'ERR_INVALID_ARG') throw cause;
    throw new InterprocError(
      'ERR_ENCODE',
      `'${passenger.name}' lives in another directory than '${carrier.name}', whose messages cannot carry it; open both with the same INTERPROC_DIR`,
      { cause },
    );
  }
  return formatTicket(file, passenger.name);
}

/** Also when the carrier is closed by now: by code of the caller's that ran while its message was encoded. */
export function redeemTicket(carrier: NativeObject, ticket: Ticket): void {
  const known = parseTicket(ticket);
  if (known !== undefined) carrier.redeem(known.file);
}

export function ticketsOf(carrier: SharedObject, message: Uint8Array): Ticket[] {
  const tickets: Ticket[] = [];
  findTicketFiles(message, carrier.identity(), (file) =>
    tickets.push(formatTicket(file, NAMELESS)),
  );
  return tickets;
}
