/** The contract over links to a hub. */

import type { Capabilities } from '../../../contract/capabilities.js';
import type {
  Backend,
  Channel,
  ChannelOptions,
  OpenMode,
  Registry,
  SegmentInfo,
  SharedObject,
  Ticket,
} from '../../../contract/channel.js';
import type {
  ClientEnd,
  ListenerEnd,
  ListenerOpener,
  ListenerOptions,
} from '../../../contract/listener.js';
import type { PipeEnd, PipeOpener, PipeOptions } from '../../../contract/pipe.js';
import type { State, StateKind, StateOptions } from '../../../contract/state.js';
import { BROKERED_CAPABILITIES } from '../capabilities.js';
import { LIST, PRUNE } from '../operations.js';
import type { Listed } from '../operations.js';
import type { Link } from './link.js';
import { openChannel, openChannelTicket } from './remote-channel.js';
import { openBacklog, openListener } from './remote-listener.js';
import { openPipe, openPipeTicket } from './remote-pipe.js';
import { openState, openStateTicket } from './remote-state.js';

export abstract class BrokeredBackend implements Backend, Registry, PipeOpener, ListenerOpener {
  abstract readonly kind: 'socket' | 'memory';
  readonly capabilities: Capabilities = BROKERED_CAPABILITIES;
  readonly registry: Registry = this;

  /** The one of this thread for new objects; made at first use, and anew when the hub of the last one is gone. */
  protected abstract link(): Link;

  /** The same, but undefined where a broker would have to be started. */
  protected linkIfThere(): Link | undefined {
    return this.link();
  }

  get directory(): string | undefined {
    return undefined;
  }

  get hasBroker(): boolean | undefined {
    return undefined;
  }

  /** This backend, for what lives where that object does, wherever new ones would be by now. */
  abstract beside(object: SharedObject): BrokeredBackend;

  openChannel(name: string | undefined, mode: OpenMode, options: ChannelOptions): Channel {
    return openChannel(this.link(), name, mode, options);
  }

  openTicket(ticket: Ticket, codec?: string): Channel {
    return openChannelTicket(this.link(), ticket, codec);
  }

  openState(
    name: string | undefined,
    mode: OpenMode,
    options: StateOptions,
    initial?: Uint8Array,
  ): State {
    return openState(this.link(), name, mode, options, initial);
  }

  openStateTicket(ticket: Ticket, kind: StateKind): State {
    return openStateTicket(this.link(), ticket, kind);
  }

  openPipe(options: PipeOptions): [PipeEnd, PipeEnd] {
    return openPipe(this.link(), options);
  }

  openPipeTicket(ticket: Ticket): PipeEnd {
    return openPipeTicket(this.link(), ticket);
  }

  openListener(name: string, options: ListenerOptions): ListenerEnd {
    return openListener(this.link(), name, options);
  }

  openBacklog(name: string): ClientEnd {
    return openBacklog(this.link(), name);
  }

  list(): SegmentInfo[] {
    const link = this.linkIfThere();
    if (link === undefined) return [];
    link.begin(0, LIST);
    const listed = link.ask().json() as Listed[];
    return listed.map((info) => ({ ...info, problem: undefined }));
  }

  prune({ dryRun }: { readonly dryRun: boolean }): string[] {
    const link = this.linkIfThere();
    if (link === undefined) return [];
    link.begin(0, PRUNE).bool(dryRun);
    return link.ask().json() as string[];
  }
}
