/** The composition root: knows the backends, and binds the primitives to them. The only importer of `backends/`. */

import { InterprocError, invalidArgument } from './errors.js';
import { BackendChoice, describing } from './backend-choice.js';
import type { ChosenBackend } from './backend-choice.js';
import type { BackendKind, Registry, SegmentInfo } from './contract/channel.js';
import { MemoryBackend } from './backends/memory/memory-backend.js';
import { addonFile } from './backends/native/addon.js';
import { NativeBackend } from './backends/native/native-backend.js';
import { SocketBackend } from './backends/socket/socket-backend.js';
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

export { addonFile };
export { wait } from './primitives/wait.js';

/** @throws ERR_UNSUPPORTED, with what the loader says as its cause */
function nativeBackend(): NativeBackend {
  try {
    return new NativeBackend();
  } catch (cause) {
    const [problem] = String((cause as Error).message).split('\n');
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `The native addon does not load on ${process.platform}-${process.arch}, Node ${process.version} (${problem}); 'INTERPROC_REQUIRE_ADDON=1 npm rebuild interproc' builds it or says why not, in a checkout 'npm run build:native'`,
      { cause },
    );
  }
}

const choice = new BackendChoice({
  native: nativeBackend,
  socket: () => new SocketBackend(),
  memory: () => new MemoryBackend(),
});
const { select } = choice;

/** The backend of this process, and why it is this one. Nothing is loaded before something here is read, or used elsewhere. */
export const backend: ChosenBackend = describing(choice);

const handles = new HandleClasses();

export const Queue: QueueConstructor = bindQueue(select, handles);
export type Queue<T = unknown> = QueueHandle<T>;

export const Pipe: PipeNamespace = Object.assign(
  bindPipe(select, handles),
  bindListeners(select, handles),
);
export type Connection<T = unknown> = ConnectionHandle<T>;
export type Listener<T = unknown> = ListenerHandle<T>;

export const SharedMemory: SharedMemoryConstructor = bindSharedMemory(select, handles);
export type SharedMemory = SharedMemoryHandle;

export const ShareableList: ShareableListConstructor = bindShareableList(select, handles);
export type ShareableList = ShareableListHandle;

export const Value: ValueConstructor = bindValue(select, handles);
export type Value<T = unknown, Live = unknown> = ValueHandle<T, Live>;

export const SharedArray: SharedArrayConstructor = bindSharedArray(select, handles);
export type SharedArray<T = unknown, View = unknown> = SharedArrayHandle<T, View>;
export const { Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier, RWLock } =
  bindLocks(select, handles);
export type Lock = LockHandle;
export type RLock = RLockHandle;
export type Semaphore = SemaphoreHandle;
export type BoundedSemaphore = BoundedSemaphoreHandle;
export type Condition = ConditionHandle;
export type Event = EventHandle;
export type Barrier = BarrierHandle;
export type RWLock = RWLockHandle;

export const { MpmcRing, SpscRing } = bindRings(select);
export type MpmcRing = MpmcRingHandle;
export type SpscRing = SpscRingHandle;

export const { PosixSharedMemory, PosixSemaphore } = bindPosix(select);
export type PosixSharedMemory = PosixSharedMemoryHandle;
export type PosixSemaphore = PosixSemaphoreHandle;

/** Where the objects of a backend live; for those who look into it. @throws ERR_UNSUPPORTED */
export function registryOf(kind: BackendKind): Registry {
  return select(kind).registry;
}

/** Which objects `list` and `prune` are about. */
export interface RegistryOptions {
  /**
   * Those of that backend. Each has its own: names are common to 'native' and 'socket', but nothing else is.
   * @default the one of this process, `backend.kind`
   */
  readonly backend?: BackendKind | undefined;
}

export interface PruneOptions extends RegistryOptions {
  /**
   * Only says what would be removed.
   * @default false
   */
  readonly dryRun?: boolean | undefined;
}

/** @throws ERR_INVALID_ARG */
function checkOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', `an object with ${known.join(', ')}`, options);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new InterprocError(
    'ERR_INVALID_ARG',
    `There is no option '${unknown}' here; there is ${known.join(', ')}`,
  );
}

/**
 * The objects of this user: named and anonymous ones, in use or left over, readable or not. O(number of objects).
 *
 * @throws ERR_INVALID_ARG, ERR_PERMISSION, ERR_UNSUPPORTED
 */
export function list(options: RegistryOptions = {}): SegmentInfo[] {
  checkOptions(options, ['backend']);
  return select(options.backend).registry.list();
}

/**
 * Removes what nobody has open and `persist` does not keep, queues that hold messages included. Harmless to the living.
 * Returns the names of what it removed.
 *
 * @throws ERR_INVALID_ARG, ERR_PERMISSION, ERR_UNSUPPORTED
 */
export function prune(options: PruneOptions = {}): string[] {
  checkOptions(options, ['backend', 'dryRun']);
  const { dryRun = false } = options;
  if (typeof dryRun !== 'boolean') throw invalidArgument('dryRun', 'true or false', dryRun);
  return select(options.backend).registry.prune({ dryRun });
}
