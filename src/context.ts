/**
 * The composition root: picks a backend, says why it cannot, and binds the primitives to it. The only
 * importer of `backends/`.
 */

import { InterprocError, invalidArgument } from './errors.js';
import type { Backend, SegmentInfo } from './contract/channel.js';
import { NativeBackend } from './backends/native/native-backend.js';
import { bindPosix } from './primitives/bind-posix.js';
import type { Barrier as BarrierHandle } from './primitives/barrier.js';
import { bindListeners } from './primitives/bind-listeners.js';
import type { PipeNamespace } from './primitives/bind-listeners.js';
import { bindLocks } from './primitives/bind-locks.js';
import { bindPipe } from './primitives/bind-pipe.js';
import { bindQueue } from './primitives/bind-queue.js';
import type { QueueConstructor } from './primitives/bind-queue.js';
import { bindRings } from './primitives/bind-rings.js';
import { bindShareableList } from './primitives/bind-shareable-list.js';
import type { ShareableListConstructor } from './primitives/bind-shareable-list.js';
import { bindSharedMemory } from './primitives/bind-shared-memory.js';
import type { SharedMemoryConstructor } from './primitives/bind-shared-memory.js';
import { bindSharedArray } from './primitives/bind-shared-array.js';
import type { SharedArrayConstructor } from './primitives/bind-shared-array.js';
import { bindValue } from './primitives/bind-value.js';
import type { ValueConstructor } from './primitives/bind-value.js';
import type { Connection as ConnectionHandle } from './primitives/connection.js';
import type { Listener as ListenerHandle } from './primitives/listener.js';
import { HandleClasses } from './primitives/passengers.js';
import type { PosixSemaphore as PosixSemaphoreHandle } from './primitives/posix-semaphore.js';
import type { PosixSharedMemory as PosixSharedMemoryHandle } from './primitives/posix-shared-memory.js';
import type { Queue as QueueHandle } from './primitives/queue.js';
import type { ShareableList as ShareableListHandle } from './primitives/shareable-list.js';
import type { SharedArray as SharedArrayHandle } from './primitives/shared-array.js';
import type { Condition as ConditionHandle } from './primitives/condition.js';
import type { Event as EventHandle } from './primitives/event.js';
import type { Lock as LockHandle } from './primitives/lock.js';
import type { RLock as RLockHandle } from './primitives/rlock.js';
import type { RWLock as RWLockHandle } from './primitives/rw-lock.js';
import type {
  BoundedSemaphore as BoundedSemaphoreHandle,
  Semaphore as SemaphoreHandle,
} from './primitives/semaphore.js';
import type { SharedMemory as SharedMemoryHandle } from './primitives/shared-memory.js';
import type { Value as ValueHandle } from './primitives/value.js';
import type { MpmcRing as MpmcRingHandle, SpscRing as SpscRingHandle } from './primitives/rings.js';

export { wait } from './primitives/wait.js';

let native: NativeBackend | undefined;

/**
 * Loaded at first use, so that importing the package works, and its errors can be caught, where the addon
 * does not load.
 */
function nativeBackend(): NativeBackend {
  if (native === undefined) {
    try {
      native = new NativeBackend();
    } catch (cause) {
      throw new InterprocError(
        'ERR_UNSUPPORTED',
        `The native addon does not load on ${process.platform}-${process.arch}, Node ${process.version}; in a checkout, build it with 'npm run build:native'`,
        { cause },
      );
    }
  }
  return native;
}

function selectBackend(kind: string | undefined): Backend {
  if (kind === undefined || kind === 'native') return nativeBackend();
  throw invalidArgument('backend', "'native'", kind);
}

const handles = new HandleClasses();

export const Queue: QueueConstructor = bindQueue(selectBackend, handles);
export type Queue<T = unknown> = QueueHandle<T>;

export const Pipe: PipeNamespace = Object.assign(
  bindPipe(selectBackend, handles),
  bindListeners(selectBackend, handles),
);
export type Connection<T = unknown> = ConnectionHandle<T>;
export type Listener<T = unknown> = ListenerHandle<T>;

export const SharedMemory: SharedMemoryConstructor = bindSharedMemory(selectBackend, handles);
export type SharedMemory = SharedMemoryHandle;

export const ShareableList: ShareableListConstructor = bindShareableList(selectBackend, handles);
export type ShareableList = ShareableListHandle;

export const Value: ValueConstructor = bindValue(selectBackend, handles);
export type Value<T = unknown, Live = unknown> = ValueHandle<T, Live>;

export const SharedArray: SharedArrayConstructor = bindSharedArray(selectBackend, handles);
export type SharedArray<T = unknown, View = unknown> = SharedArrayHandle<T, View>;
export const { Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier, RWLock } =
  bindLocks(selectBackend, handles);
export type Lock = LockHandle;
export type RLock = RLockHandle;
export type Semaphore = SemaphoreHandle;
export type BoundedSemaphore = BoundedSemaphoreHandle;
export type Condition = ConditionHandle;
export type Event = EventHandle;
export type Barrier = BarrierHandle;
export type RWLock = RWLockHandle;

export const { MpmcRing, SpscRing } = bindRings(nativeBackend);
export type MpmcRing = MpmcRingHandle;
export type SpscRing = SpscRingHandle;

export const { PosixSharedMemory, PosixSemaphore } = bindPosix(() => nativeBackend().posix);
export type PosixSharedMemory = PosixSharedMemoryHandle;
export type PosixSemaphore = PosixSemaphoreHandle;

/**
 * The objects of this user: named and anonymous ones, in use or left over, readable or not. O(number of objects).
 *
 * @throws ERR_PERMISSION, ERR_UNSUPPORTED
 */
export function list(): SegmentInfo[] {
  return nativeBackend().registry.list();
}

export interface PruneOptions {
  /**
   * Only says what would be removed.
   * @default false
   */
  readonly dryRun?: boolean | undefined;
}

/**
 * Removes what nobody has open and `persist` does not keep, queues that hold messages included. Harmless to the living.
 * Returns the names of what it removed.
 *
 * @throws ERR_INVALID_ARG, ERR_PERMISSION, ERR_UNSUPPORTED
 */
export function prune(options: PruneOptions = {}): string[] {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', 'an object such as { dryRun: true }', options);
  }
  const { dryRun = false } = options;
  if (typeof dryRun !== 'boolean') throw invalidArgument('dryRun', 'true or false', dryRun);
  return nativeBackend().registry.prune({ dryRun });
}
