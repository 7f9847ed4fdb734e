/** A backend that lacks what no backend of this package lacks, but another one may. */

import type { Capabilities } from '../../src/contract/capabilities.js';
import type { Channel } from '../../src/contract/channel.js';
import type { ListenerEnd } from '../../src/contract/listener.js';
import type { PipeEnd } from '../../src/contract/pipe.js';
import type { State } from '../../src/contract/state.js';
import { DirectBackend } from './direct-backend.js';

/** Its objects declare it too, and fail whoever blocks on them all the same. */
export class LackingBackend extends DirectBackend {
  override readonly capabilities: Capabilities;

  constructor(lacking: Partial<Record<'blocking' | 'redelivery', false>>) {
    super();
    this.capabilities = { ...new DirectBackend().capabilities, ...lacking };
  }

  #less<O extends Channel | PipeEnd | State>(object: O): O {
    const { capabilities } = this;
    Object.assign(object, { capabilities });
    if (!capabilities.blocking) object.waitSync = cannotBlock;
    return object;
  }

  override openChannel(...args: Parameters<DirectBackend['openChannel']>): Channel {
    return this.#less(super.openChannel(...args));
  }

  override openTicket(...args: Parameters<DirectBackend['openTicket']>): Channel {
    return this.#less(super.openTicket(...args));
  }

  override openState(...args: Parameters<DirectBackend['openState']>): State {
    return this.#less(super.openState(...args));
  }

  override openStateTicket(...args: Parameters<DirectBackend['openStateTicket']>): State {
    return this.#less(super.openStateTicket(...args));
  }

  override openPipe(...args: Parameters<DirectBackend['openPipe']>): [PipeEnd, PipeEnd] {
    const [first, second] = super.openPipe(...args);
    return [this.#less(first), this.#less(second)];
  }

  override openPipeTicket(...args: Parameters<DirectBackend['openPipeTicket']>): PipeEnd {
    return this.#less(super.openPipeTicket(...args));
  }

  override openListener(...args: Parameters<DirectBackend['openListener']>): ListenerEnd {
    const listener = super.openListener(...args);
    const accept = listener.tryAccept.bind(listener);
    listener.tryAccept = () => {
      const end = accept();
      return typeof end === 'number' ? end : this.#less(end);
    };
    return listener;
  }
}

function cannotBlock(): never {
  throw new Error('blocks where nothing can');
}
