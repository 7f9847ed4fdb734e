import type { Channel, ChannelOptions, OpenMode, Ticket } from '../../../contract/channel.js';
import type { Link } from './link.js';

export function openChannel(
  link: Link,
  name: string | undefined,
  mode: OpenMode,
  options: ChannelOptions,
): Channel {
  throw new Error('not there yet');
}
export function openChannelTicket(link: Link, ticket: Ticket, codec?: string): Channel {
  throw new Error('not there yet');
}
