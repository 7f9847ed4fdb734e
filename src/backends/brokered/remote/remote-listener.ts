import type { ClientEnd, ListenerEnd, ListenerOptions } from '../../../contract/listener.js';
import type { Link } from './link.js';

export function openListener(link: Link, name: string, options: ListenerOptions): ListenerEnd {
  throw new Error('not there yet');
}
export function openBacklog(link: Link, name: string): ClientEnd {
  throw new Error('not there yet');
}
