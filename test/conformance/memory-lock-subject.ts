import type { StateKind } from '../../src/contract/state.js';
import { STATE_DEFAULTS } from '../../src/contract/state.js';
import { MemoryBackend } from '../unit/memory-backend.js';
import { lockPeerOf } from './lock-peer-in-thread.js';
import type { LockPeer, LockSubject } from './lock-subject.js';

/** In one thread. Somebody else uses the backend itself: by a handle he would be this very thread, which it is not to know. */
export function memoryLockSubject(): LockSubject {
  const backend = new MemoryBackend();
  return {
    backend,
    async peer(kind: StateKind, name: string): Promise<LockPeer> {
      const state = backend.openState(name, 'open', {
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
