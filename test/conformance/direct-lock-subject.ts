import type { StateKind } from '../../src/contract/state.js';
import { STATE_DEFAULTS } from '../../src/contract/state.js';
import { openState } from '../../src/backends/brokered/remote/remote-state.js';
import { DirectBackend } from '../unit/direct-backend.js';
import { lockPeerOf } from './lock-peer-in-thread.js';
import type { LockPeer, LockSubject } from './lock-subject.js';

/** On a hub in this thread, where somebody else has a line of his own to it. */
export function directLockSubject(): LockSubject {
  const backend = new DirectBackend();
  return {
    backend,
    async peer(kind: StateKind, name: string): Promise<LockPeer> {
      const state = openState(backend.anotherLink(), name, 'open', {
        ...STATE_DEFAULTS,
        kind,
        byteLength: 0,
        schema: '',
        parameter: 0,
        persist: false,
      });
      return lockPeerOf(state, backend);
    },
  };
}
