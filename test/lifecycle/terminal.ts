import type { Ending, Program } from './program.js';

export interface Received {
  readonly id: string;
  readonly value: unknown;
  readonly redelivered: boolean;
  readonly deliveries: number;
}

interface Reply {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
}

/** What a call in another process threw. */
export class CallFailed extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The test's side of programs/terminal.mjs. */
export class Terminal {
  readonly program: Program;
  #lastId = 0;

  constructor(program: Program) {
    this.program = program;
  }

  /** Makes the call there, and settles as it does. `target`: the queue's name, or a message's id. */
  call(call: string, target = '', ...args: unknown[]): Promise<unknown> {
    const id = this.#send(call, target, args);
    return this.#reply(id);
  }

  /** The same, but resolves when the call has been made, with the promise of its result: the other process now waits. */
  async begin(
    call: string,
    target: string,
    ...args: unknown[]
  ): Promise<{ result: Promise<unknown> }> {
    const id = this.#send(call, target, args);
    await this.program.says(`began:${id}`);
    const result = this.#reply(id);
    result.catch(() => {}); // it may be that nobody ever asks
    return { result };
  }

  #send(call: string, target: string, args: readonly unknown[]): number {
    this.#lastId += 1;
    this.program.tell(JSON.stringify({ id: this.#lastId, call, target, args }));
    return this.#lastId;
  }

  async #reply(id: number): Promise<unknown> {
    const reply = (await this.program.says(`reply:${id}`)) as Reply;
    if (reply.code !== undefined) throw new CallFailed(reply.code, reply.message ?? '');
    return reply.value;
  }

  async receive(queue: string): Promise<Received> {
    return (await this.call('receive', queue)) as Received;
  }

  async participants(queue: string): Promise<number> {
    return ((await this.call('stats', queue)) as { participants: number }).participants;
  }

  /** Lets it come to its natural end, whatever it has open. */
  leave(): Promise<Ending> {
    this.program.hangUp();
    return this.program.ends();
  }

  kill(): Promise<void> {
    return this.program.kill();
  }
}
