import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { LEAVE } from '../state-operations.js';
import { fail } from './fail.js';
import { Attachment } from './hub-object.js';
import type { HubState } from './hub-state.js';
import type { Session } from './session.js';
import type { User } from './state-part.js';

/** A state that a session has open: one owner of what is locked in it. */
export class StateAttachment extends Attachment implements User {
  protected readonly waits;
  readonly carrier: HubState;
  readonly passenger: HubState;
  readonly #state: HubState;

  /** @throws ERR_NO_SLOT */
  constructor(session: Session, state: HubState) {
    state.assertRoom();
    super(session);
    this.#state = state;
    this.carrier = state;
    this.passenger = state;
    this.waits = state.waits;
    state.joined(this);
  }

  override serve(operation: number, body: Body, reply: FrameWriter): void {
    if (operation === LEAVE) {
      const side = body.u8();
      if (side > 2) fail('ERR_CORRUPT', `No side ${side}`);
      this.#state.partOn(side as Side).gaveUp(this, side as Side);
      return;
    }
    for (const part of this.#state.parts) {
      if (part.serve(this, operation, body, reply)) return;
    }
    super.serve(operation, body, reply);
  }

  push(operation: number, write: (word: FrameWriter) => void): void {
    this.session.later(() => {
      if (this.isClosed) return;
      const word = this.session.beginPush(this.handle, operation);
      write(word);
      word.end();
    });
  }

  after(ms: number, action: () => void): void {
    this.session.after(ms, action);
  }

  protected override hearWaiting(side: Side, body: Body): void {
    this.#state.partOn(side).hearWaiting(this, side, body);
  }

  protected override sayReady(side: Side, word: FrameWriter): void {
    this.#state.partOn(side).sayReady(this, side, word);
  }

  isWorthALook(side: Side): boolean {
    return this.#state.partOn(side).isWorthALook(this, side);
  }

  protected override withdrew(side: Side): void {
    this.#state.partOn(side).gaveUp(this, side);
  }

  protected override passOn(side: Side): void {
    this.#state.partOn(side).gaveUp(this, side);
  }

  protected unlink(): void {
    this.catalogue.unlink(this.#state);
  }

  protected left(): void {
    this.#state.left(this);
  }
}
