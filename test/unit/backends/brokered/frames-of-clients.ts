/** Clients of a hub as bytes: what a `Link` never says, or not in one piece, can be said here. */

import { FrameSplitter, FrameWriter } from '../../../../src/backends/brokered/frames.js';
import type { Hub } from '../../../../src/backends/brokered/hub/hub.js';
import { FAILURE, HELLO, PROTOCOL_VERSION } from '../../../../src/backends/brokered/operations.js';

export interface Heard {
  readonly handle: number;
  readonly operation: number;
  readonly sequence: number;
  readonly body: Buffer;
}

export class RawClient {
  readonly heard: Heard[] = [];
  isEnded = false;
  readonly #session;
  readonly #writer = new FrameWriter();
  readonly #splitter = new FrameSplitter((handle, operation, sequence, body) => {
    this.heard.push({ handle, operation, sequence, body: Buffer.from(body.rest()) });
  });
  #sequence = 0;

  constructor(hub: Hub) {
    this.#session = hub.connect({
      write: (bytes) => void this.#splitter.push(bytes),
      close: () => {
        this.isEnded = true;
      },
    });
    this.ask(0, HELLO, (body) => body.u32(PROTOCOL_VERSION).u32(process.pid));
  }

  /** To be sent with what is said next. */
  add(handle: number, operation: number, write: (body: FrameWriter) => void = () => {}): this {
    write(this.#writer.begin(handle, operation, 0));
    this.#writer.end();
    return this;
  }

  /** All in one piece. */
  send(): void {
    this.sendBytes(this.#writer.takeAway());
  }

  /** What may be no frames. */
  sendBytes(bytes: Buffer): void {
    this.#session.receive(bytes);
  }

  tell(handle: number, operation: number, write: (body: FrameWriter) => void = () => {}): void {
    this.add(handle, operation, write).send();
  }

  /** The body of the reply. */
  ask(handle: number, operation: number, write: (body: FrameWriter) => void = () => {}): Buffer {
    const sequence = ++this.#sequence;
    write(this.#writer.begin(handle, operation, sequence));
    this.#writer.end();
    this.send();
    const at = this.heard.findIndex((frame) => frame.sequence === sequence);
    const [reply] = this.heard.splice(at, at < 0 ? 0 : 1);
    if (reply === undefined || reply.operation === FAILURE) {
      throw new Error(`refused: ${reply?.body.toString('latin1') ?? 'the session has ended'}`);
    }
    return reply.body;
  }

  lost(): void {
    this.#session.lost();
  }
}
