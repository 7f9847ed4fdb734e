import type { PipeEnd, PipeOptions } from '../../../contract/pipe.js';
import type { Ticket } from '../../../contract/shared-object.js';
import type { Link } from './link.js';

export function openPipe(link: Link, options: PipeOptions): [PipeEnd, PipeEnd] {
  throw new Error('not there yet');
}
export function openPipeTicket(link: Link, ticket: Ticket): PipeEnd {
  throw new Error('not there yet');
}
