export {
  backend,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  list,
  Lock,
  Pipe,
  prune,
  Queue,
  RLock,
  RWLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedArray as Array,
  SharedMemory,
  Value,
  wait,
} from './context.js';
export type { Connection, Listener, PruneOptions, RegistryOptions } from './context.js';
export type { ChosenBackend } from './backend-choice.js';
export {
  AbortError,
  AuthenticationError,
  BufferTooShort,
  EOFError,
  ERROR_CODES,
  InterprocError,
  QueueEmpty,
  QueueFull,
  RequestError,
  TimeoutError,
} from './errors.js';
export type { ErrorCode } from './errors.js';
export type { Capabilities } from './contract/capabilities.js';
export type { LeaseInfo } from './contract/leasing.js';
export type { BackendKind, ChannelStats as QueueStats, SegmentInfo } from './contract/channel.js';
export type { PipeStats } from './contract/pipe.js';
export { Struct } from './shapes/struct.js';
export type { StructField, StructMemory, StructType } from './shapes/struct.js';
export type {
  FieldType,
  StructFields,
  StructInput,
  StructRecord,
  StructValue,
} from './shapes/struct-types.js';
export type { ShareableValue } from './shapes/slot-list.js';
export type { ScalarLetter, ScalarName, ScalarTypeName } from './shapes/scalar-types.js';
export type { BuiltInCodecName, CustomCodec } from './codec/codec.js';
export type { Delivery } from './primitives/delivery.js';
export type { BarrierOptions } from './primitives/barrier.js';
export type { ConditionOptions } from './primitives/condition.js';
export type { Guard } from './primitives/guard.js';
export type { RLockGuard } from './primitives/rlock.js';
export type { PeekedMessage, ReservedSlot } from './primitives/lease.js';
export type { Ends, PipeFunction, ValuePipeOptions } from './primitives/bind-pipe.js';
export type { Connect, Listen, PipeNamespace } from './primitives/bind-listeners.js';
export type {
  AuthenticationOptions,
  ConnectOptions,
  ListenerOptions,
} from './primitives/listener-options.js';
export type { PipeOptions } from './primitives/pipe-options.js';
export type { ValueQueueOptions } from './primitives/bind-queue.js';
export type { BatchSize } from './primitives/batch-size.js';
export type { QueueOptions } from './primitives/queue-options.js';
export type {
  RequestContext,
  RequestHandler,
  RequestHandlingOptions,
} from './primitives/request-handling.js';
export type { RequestSubscription } from './primitives/exchange.js';
export type {
  MessageReadable,
  MessageReadable as QueueReadable,
} from './primitives/message-readable.js';
export type { ConnectionDuplex } from './primitives/connection-duplex.js';
export type {
  ConnectionDuplexOptions,
  ConnectionReadableOptions,
  ConnectionReadableStreamOptions,
  ConnectionStreamsOptions,
  ConnectionWritableOptions,
  ConnectionWritableStreamOptions,
  QueueReadableOptions,
  QueueWritableOptions,
} from './primitives/stream-options.js';
export type { EmbeddedLock } from './primitives/embedded-lock.js';
export type { OpenArrayOptions } from './primitives/bind-shared-array.js';
export type { OpenValueOptions } from './primitives/bind-value.js';
export type { StateHandleOptions } from './primitives/state-options.js';
export type { Waitable } from './primitives/waitable.js';
export type { SyncWaitOptions, WaitOptions } from './primitives/wait-options.js';
