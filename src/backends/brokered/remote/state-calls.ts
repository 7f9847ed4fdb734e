import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import type { StateFileReader } from './state-file-reader.js';

/** How the parts of a state ask and tell its hub. All throw ERR_CLOSED and ERR_BROKER. */
export interface StateCalls {
  readonly name: string;
  assertOpen(): void;
  request(operation: number): FrameWriter;
  word(operation: number): FrameWriter;
  /** Sends the request that was begun, with `rest` behind it. What it has changed is in the files when this returns. */
  ask(rest?: Uint8Array): Body;
  /** Sends the word that was begun. */
  tell(): void;
  /** From which a look may read now, without asking. @throws ERR_CLOSED, ERR_BROKER */
  file(): StateFileReader | undefined;
}

/** A part whose waits say more than that they wait, or are told more than that they are over. */
export interface RemotePart {
  readonly sides: readonly Side[];
  sayWaiting?(word: FrameWriter): void;
  heard?(body: Body): void;
  told?(operation: number, body: Body): void;
}
