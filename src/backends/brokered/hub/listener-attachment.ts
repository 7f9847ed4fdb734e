/** A listener in the hands of a session: of who listens, or of a client. */

import type { Side } from '../../../contract/shared-object.js';
import { MAX_BACKLOG } from '../../../contract/listener.js';
import type { Body, FrameWriter } from '../frames.js';
import {
  ACCEPT_CLIENT,
  CLIENTS_WAITING,
  END_LISTENING,
  OFFER_CLIENT,
  OFFER_ENDED,
  OFFER_FULL,
  OFFER_TAKEN,
} from '../listener-operations.js';
import { readGeometry, writeGeometry } from '../pipe-geometry.js';
import { fail } from './fail.js';
import { HubListener } from './hub-listener.js';
import { Attachment } from './hub-object.js';
import type { Waits } from './hub-object.js';
import { PipeAttachment, takeOver } from './pipe-attachment.js';
import type { Session } from './session.js';

export class ListenerAttachment extends Attachment {
  readonly carrier: HubListener;
  readonly passenger: HubListener;
  protected readonly waits: Waits;
  readonly #listener: HubListener;
  /** Of who listens. */
  readonly #accepts: boolean;

  constructor(session: Session, listener: HubListener, accepts: boolean) {
    super(session);
    this.#listener = listener;
    this.#accepts = accepts;
    this.carrier = listener;
    this.passenger = listener;
    this.waits = listener.waits;
    listener.users++;
  }

  override serve(operation: number, body: Body, reply: FrameWriter): void {
    const listener = this.#listener;
    switch (operation) {
      case ACCEPT_CLIENT:
        this.#accept(reply);
        return;
      case OFFER_CLIENT:
        reply.u8(this.#offer(body));
        return;
      case END_LISTENING:
        this.#assertAccepts();
        listener.end();
        return;
      case CLIENTS_WAITING:
        reply.u32(listener.size);
        return;
      default:
        super.serve(operation, body, reply);
    }
  }

  write(reply: FrameWriter): void {
    const { identity, backlog, isKeyed, geometry } = this.#listener;
    reply.u32(this.handle).u64(identity).u32(backlog).bool(isKeyed);
    writeGeometry(reply, geometry);
  }

  #accept(reply: FrameWriter): void {
    this.#assertAccepts();
    let client: PipeAttachment | undefined;
    let process = 0;
    this.#listener.next((end, pid) => {
      client = takeOver(this.session, end);
      process = pid;
    });
    reply.bool(client !== undefined);
    if (client === undefined) return;
    reply.u32(process);
    client.write(reply);
  }

  #offer(body: Body): number {
    const listener = this.#listener;
    const client = this.session.attached(body.u32());
    if (!(client instanceof PipeAttachment))
      fail('ERR_CORRUPT', 'What is offered is no end of a pipe');
    if (!listener.listens) return OFFER_ENDED;
    if (listener.isFull) return OFFER_FULL;
    client.giveBack(body.rest());
    listener.add(client.end, this.session.pid);
    client.depart();
    return OFFER_TAKEN;
  }

  #assertAccepts(): void {
    if (!this.#accepts) fail('ERR_CORRUPT', `'${this.#listener.name}' belongs to somebody else`);
  }

  override isWorthALook(side: Side): boolean {
    return this.#listener.isWorthALook(side);
  }

  protected override unlink(): void {
    this.catalogue.unlink(this.#listener);
  }

  protected override left(): void {
    const listener = this.#listener;
    listener.users--;
    if (this.#accepts) listener.close();
  }
}

export function openListener(session: Session, body: Body, reply: FrameWriter): void {
  const { catalogue } = session;
  const name = body.text();
  const backlog = body.u32();
  const isKeyed = body.bool();
  const geometry = readGeometry(body);
  if (backlog < 1 || backlog > MAX_BACKLOG) {
    fail('ERR_INVALID_ARG', `backlog is ${backlog}; it may be 1 to ${MAX_BACKLOG}`);
  }
  const known = catalogue.get(name);
  // The name of one that has ended is in nobody's way.
  if (known instanceof HubListener && !known.listens) catalogue.unlink(known);
  catalogue.find(name, 'create');
  const listener = new HubListener(catalogue, name, backlog, isKeyed, geometry);
  const attachment = new ListenerAttachment(session, listener, true);
  catalogue.add(listener);
  attachment.write(reply);
}

export function openBacklog(session: Session, body: Body, reply: FrameWriter): void {
  const name = body.text();
  const listener = session.catalogue.find(name, 'open');
  if (!(listener instanceof HubListener)) {
    fail('ERR_KIND', `'${name}' is a ${listener?.kind}, and no listener`);
  }
  if (!listener.listens) fail('ERR_NOT_FOUND', `Nobody listens on '${name}' any more`);
  new ListenerAttachment(session, listener, false).write(reply);
}
