import type { OpenMode, Ticket } from '../../../contract/shared-object.js';
import type { State, StateKind, StateOptions } from '../../../contract/state.js';
import type { Link } from './link.js';

export function openState(
  link: Link,
  name: string | undefined,
  mode: OpenMode,
  options: StateOptions,
  initial?: Uint8Array,
): State {
  throw new Error('not there yet');
}
export function openStateTicket(link: Link, ticket: Ticket, kind: StateKind): State {
  throw new Error('not there yet');
}
