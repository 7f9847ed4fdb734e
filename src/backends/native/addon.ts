/**
 * The door to native/binding: what the compiled addon exports, as it is. Every number comes from the addon.
 *
 * Message calls return a length or count >= 0, or -Code; object calls throw `NativeFailure`s.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import type { ListenerTerms } from '../../contract/listener.js';
import type { CellOperation, CellType, StateOptions } from '../../contract/state.js';

export type Token = number;

/** Of no object: calls answer that it is closed. Closed objects have it, for another one may get the token that they had. */
export const NO_TOKEN: Token = 2 ** 32 - 1;

export interface Constants {
  readonly ok: number;
  readonly empty: number;
  readonly full: number;
  readonly ended: number;
  readonly tooLarge: number;
  readonly exists: number;
  readonly notFound: number;
  readonly backend: number;
  readonly kind: number;
  readonly mismatch: number;
  readonly corrupt: number;
  readonly lost: number;
  readonly version: number;
  readonly permission: number;
  readonly noSpace: number;
  readonly noSlot: number;
  readonly unacked: number;
  readonly noLease: number;
  readonly carries: number;
  readonly notOwner: number;
  readonly busy: number;
  readonly deadlock: number;
  readonly overRelease: number;
  readonly broken: number;
  readonly invalid: number;
  readonly argument: number;
  readonly system: number;
  /** Messages per crossing, at most. */
  readonly batch: number;
  /** Indices into `results`. */
  readonly deliveries: number;
  readonly receipt: number;
  readonly wanted: number;
  readonly lease: number;
  readonly placePhase: number;
  readonly placeIsLast: number;
  /** The `kind` of a lease that is a slot. */
  readonly leaseSlot: number;
  readonly maxLeases: number;
  readonly errno: number;
  readonly minCapacity: number;
  readonly maxCapacity: number;
  readonly maxMessage: number;
  readonly maxItems: number;
  readonly maxParticipants: number;
  readonly maxCodecBytes: number;
  readonly maxState: number;
  readonly maxSchemaBytes: number;
  readonly ledgerEntries: number;
  /** The code of a cell's operation is that of the operation, times the number of types, plus that of the type. */
  readonly cellOperations: Readonly<Record<CellOperation, number>>;
  readonly cellTypes: Readonly<Record<CellType, number>>;
  /** The largest value of a semaphore of POSIX. */
  readonly maxSemaphoreValue: number;
  /** Where the words of a pipe stand that JavaScript reads and writes itself: indices of 32-bit words. */
  readonly pipeListed: number;
  readonly pipeListedStride: number;
  readonly pipeDirections: number;
  readonly pipeDirectionStride: number;
  readonly pipeHead: number;
  readonly pipeEnds: number;
  /** In the low 3 bits of an end's word. */
  readonly pipeClosed: number;
  readonly pipeMarksShift: number;
  /** Indices into `results` of what a call on a pipe leaves there. */
  readonly pipeLength: number;
  readonly pipeMarks: number;
  readonly pipeInParts: number;
  /** What can be waited for: sides are numbered from 0. */
  readonly sides: number;
}

/** What an object call throws: the binding's words, before TypeScript gives them a class and a message. */
export interface NativeFailure extends Error {
  readonly status: number;
  readonly errno: number;
  readonly syscall: string;
}

export interface ObjectOptions {
  readonly capacityBytes: number;
  readonly maxMessageBytes: number;
  readonly maxSideBytes: number;
  readonly maxItems: number;
  readonly maxDeliveries: number;
  readonly maxParticipants: number;
  readonly deadLetter: string;
  readonly codec: string;
  readonly persist: boolean;
  readonly anonymous: boolean;
}

export interface NativeStateOptions extends StateOptions {
  readonly anonymous: boolean;
}

export interface NativePipeOptions {
  readonly capacityBytes: number;
  readonly maxMessageBytes: number;
  readonly codec: string;
  readonly duplex: boolean;
}

export interface NativePipeGeometry extends NativePipeOptions {
  readonly end: 0 | 1;
  readonly slot: number;
  /** It was closed on its way, or another has it. */
  readonly lost: boolean;
}

export interface NativeListenerOptions extends ListenerTerms {
  /** Of the ring that the backlog is. */
  readonly ringBytes: number;
}

export interface NativeLeaseNotice {
  readonly pid: number;
  readonly kind: number;
  readonly bytes: number;
  readonly ageMs: number;
  readonly isOwn: boolean;
}

export interface NativeEntry {
  readonly name: string;
  readonly kind: string;
  readonly totalBytes: number;
  readonly participants: number;
  readonly size: number;
  readonly persist: boolean;
  readonly anonymous: boolean;
  readonly problem?: string;
}

export interface Addon {
  readonly constants: Constants;
  readonly lengths: Uint32Array;
  readonly offsets: Uint32Array;
  /** token * sides + side of what wants a look, filled before `dispatch` is called. */
  readonly rung: Uint32Array;
  readonly results: Float64Array;
  /** Of a cell's operation, each in the low bytes of a word: the value, what is expected, what was there. */
  readonly operands: BigUint64Array;

  putOutbox(token: Token, length: number): number;
  putBytes(token: Token, bytes: Uint8Array): number;
  putCarrying(token: Token, bytes: Uint8Array): number;
  putPacked(token: Token, count: number): number;
  take(token: Token): number;
  takeInto(token: Token, bytes: Uint8Array): number;
  takeMany(token: Token, max: number): number;
  receive(token: Token): number;
  receiveInto(token: Token, bytes: Uint8Array): number;
  ack(token: Token, receipt: number): number;
  nack(token: Token, receipt: number): number;
  undeliver(token: Token, receipt: number): number;
  ackAsTaken(token: Token, receipt: number): number;
  taskDone(token: Token): number;
  hasUnfinished(token: Token): number;
  finished(token: Token): number;
  arm(token: Token, side: number): number;
  disarm(token: Token, side: number): number;
  wait(token: Token, side: number, milliseconds: number): number;
  size(token: Token): number;

  /** The bytes, with `results[lease]`, or -Code. `copies`: 1 = private memory, copied; else only where it must be. */
  reserve(token: Token, bytes: number, copies: number): Uint8Array | number;
  peek(token: Token, copies: number): Uint8Array | number;
  commit(token: Token, lease: number, length: number): number;
  release(token: Token, lease: number): number;
  abandon(token: Token, lease: number): number;
  leases(token: Token): NativeLeaseNotice[];

  /** 1: its last owner never gave it back; 0; or -Code. `only`: 1 = no wait follows. */
  acquireLock(token: Token, only: number): number;
  releaseLock(token: Token): number;
  isLocked(token: Token): number;
  acquirePermit(token: Token, only: number): number;
  releasePermit(token: Token): number;
  permits(token: Token): number;
  beginCondition(token: Token): number;
  takeNotification(token: Token): number;
  /** 1: it had been notified. */
  endCondition(token: Token): number;
  finishCondition(token: Token): number;
  notifyCondition(token: Token, count: number): number;
  eventIsSet(token: Token): number;
  setEvent(token: Token): number;
  clearEvent(token: Token): number;
  eventSets(token: Token): number;
  eventHappened(token: Token, sets: number): number;
  /** The index or busy, with `results[placePhase]` and `results[placeIsLast]`; or -Code. */
  barrierCome(token: Token): number;
  barrierPass(token: Token, phase: number): number;
  barrierPassed(token: Token, phase: number): number;
  barrierGiveUp(token: Token, phase: number): number;
  barrierWaiting(token: Token): number;
  barrierIsBroken(token: Token): number;
  barrierAbort(token: Token): number;
  barrierReset(token: Token): number;
  acquireRead(token: Token, only: number): number;
  releaseRead(token: Token): number;
  acquireWrite(token: Token, only: number): number;
  releaseWrite(token: Token): number;

  openQueue(directory: string, name: string, mode: number, options: ObjectOptions): Token;
  openSpsc(
    directory: string,
    name: string,
    mode: number,
    options: ObjectOptions & { readonly producer: boolean },
  ): Token;
  openState(
    directory: string,
    name: string,
    mode: number,
    options: NativeStateOptions,
    initial: Uint8Array | undefined,
  ): Token;
  /** Throws exists if somebody listens there. */
  openListener(directory: string, name: string, options: NativeListenerOptions): Token;
  /** Throws notFound if nobody listens there. */
  openBacklog(directory: string, name: string): Token;
  listenerGeometry(token: Token): ListenerTerms;
  /** Whether whoever made the listener is alive and has not ended it. */
  listens(token: Token): boolean;
  stateGeometry(token: Token): NativeStateOptions;
  /** Once for each state. */
  stateBuffer(token: Token): ArrayBuffer | undefined;
  readState(token: Token, offset: number, into: Uint8Array): number;
  writeState(token: Token, offset: number, from: Uint8Array): number;
  /** Once for each value and array. */
  watchBuffer(token: Token): ArrayBuffer | undefined;
  operateCell(token: Token, code: number, offset: number): number;
  watchCells(token: Token): number;
  notifyCells(token: Token): number;
  /** The version is `operands[0]`. */
  readWhole(token: Token, into: Uint8Array): number;
  /** `expects`: 1 = only over the version `operands[0]`. 0, -full (another version), -busy (again later). */
  writeWhole(token: Token, from: Uint8Array, expects: number): number;
  geometry(token: Token): ObjectOptions;

  /** `mode`: 0 makes the pipe and opens its end 0; 1 opens the end 1 of one that was made just now. */
  openPipe(directory: string, name: string, mode: 0 | 1, options: NativePipeOptions): Token;
  openPipeTicket(directory: string, file: string): Token;
  /** Once for each end: words, outgoing and incoming ring, each of these twice in a row. */
  pipeBuffers(token: Token): [ArrayBuffer, ArrayBuffer?, ArrayBuffer?] | undefined;
  pipeSendOutbox(token: Token, length: number, marks: number): number;
  pipeSend(token: Token, bytes: Uint8Array, marks: number): number;
  /** From `results[pipeLength]` on, which says then how far it has got. */
  pipeSendParts(token: Token, bytes: Uint8Array, marks: number): number;
  pipeReceive(token: Token): number;
  pipeReceiveInto(token: Token, bytes: Uint8Array): number;
  /** From `results[pipeLength]` on, which says then how far it has got. */
  pipeFill(token: Token, bytes: Uint8Array): number;
  pipeLook(token: Token): number;
  pipeFinish(token: Token): number;
  pipeRing(token: Token, side: number): number;
  pipeWant(token: Token, bytes: number): number;
  pipePeerGone(token: Token, deep: number): number;
  pipeDepart(token: Token): number;
  pipeStay(token: Token): number;
  stats(token: Token): Readonly<Record<string, number>>;
  end(token: Token): void;
  ended(token: Token): boolean;
  isFull(token: Token): boolean;
  isReadable(token: Token): boolean;
  peerAlive(token: Token): boolean;
  setRef(token: Token, ref: boolean): void;
  close(token: Token): void;
  unlink(token: Token): void;
  /** undefined: closed */
  identity(token: Token): bigint | undefined;
  /** The name of the file that keeps `passenger` alive. */
  issueTicket(carrier: Token, passenger: Token): string;
  /** The name of one more file for the same object; undefined if there is no such file. */
  copyTicket(carrier: Token, file: string): string | undefined;
  redeemTicket(directory: string, file: string): void;
  /** Before the first arm of an object. */
  listen(token: Token): void;
  onBell(dispatch: (count: number) => void): void;
  inbox(): Uint8Array;
  outbox(): Uint8Array;

  posixOpenMemory(
    name: string,
    mode: number,
    bytes: number,
    permissions: number,
    readOnly: boolean,
  ): Token;
  posixMemoryBytes(token: Token): number;
  /** Once per token; undefined where the runtime allows no ArrayBuffer over memory that is not its own. */
  posixMemoryBuffer(token: Token): ArrayBuffer | undefined;
  /** 0, or -Code. */
  posixReadMemory(token: Token, target: Uint8Array, offset: number): number;
  posixWriteMemory(token: Token, bytes: Uint8Array, offset: number): number;
  posixCloseMemory(token: Token): void;
  posixUnlinkMemory(name: string): void;
  posixOpenSemaphore(name: string, mode: number, value: number, permissions: number): Token;
  /** 1 = took a permit, 0 = there is none. */
  posixTryWait(token: Token): number;
  /** 1 = took a permit, 0 = a slice or the time has passed. */
  posixWait(token: Token, milliseconds: number): number;
  /** 0, or -Code. */
  posixPost(token: Token): number;
  posixValue(token: Token): number;
  posixCloseSemaphore(token: Token): void;
  posixUnlinkSemaphore(name: string): void;

  list(directory: string): NativeEntry[];
  prune(directory: string, dryRun: boolean): string[];
}

/** INTERPROC_ADDON names another build of the addon: that with the fault points, in tests. */
/** Where the addon is looked for. */
export function addonFile(): string {
  const given = process.env['INTERPROC_ADDON'];
  return given ?? fileURLToPath(new URL('../../../build/Release/interproc.node', import.meta.url));
}

export function loadAddon(): Addon {
  return createRequire(import.meta.url)(addonFile()) as Addon;
}
