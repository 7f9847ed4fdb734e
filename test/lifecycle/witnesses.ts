import type { Fates, Settled } from './fates.js';
import type { Scene } from './scene.js';
import type { Terminal } from './terminal.js';

const OPTIONS = { capacityBytes: 4096 };

/** What a queue comes to after a death in its midst, if all is well. */
export const WHOLE: Inspection = { wrong: [], participants: 1, lostRoom: 0, bells: [] };

export interface Inspection {
  /** What is in the queue and should not be, or the other way round. */
  readonly wrong: readonly string[];
  readonly participants: number;
  /** Of the smallest messages: how many fewer fit than at first. */
  readonly lostRoom: number;
  /** Doorbells of the dead. */
  readonly bells: readonly string[];
}

/** Those who see a process live and die on the queue 'jobs'. */
export class Witnesses {
  readonly survivor: Terminal;
  /** Whoever comes after a death takes over the place of the dead, and so notices it. */
  readonly newcomer: Terminal;
  readonly #scene: Scene;
  #room = 0;
  #ownBells: readonly string[] = [];

  private constructor(scene: Scene) {
    this.#scene = scene;
    this.survivor = scene.terminal();
    this.newcomer = scene.terminal();
  }

  static async of(scene: Scene): Promise<Witnesses> {
    const witnesses = new Witnesses(scene);
    const { survivor } = witnesses;
    await survivor.call('create', 'jobs', OPTIONS);
    // The first wait hangs up the survivor's doorbell.
    const pending = await survivor.begin('get', 'jobs');
    await survivor.call('put', 'jobs', 'filler');
    await pending.result;
    witnesses.#ownBells = witnesses.#bells();
    witnesses.#room = await witnesses.fill();
    await survivor.call('drain', 'jobs');
    return witnesses;
  }

  #bells(): string[] {
    return this.#scene.files().filter((name) => name.startsWith('~bell-'));
  }

  /** Fills the queue with 'filler', and says how many there was room for. */
  async fill(): Promise<number> {
    return Number(await this.survivor.call('fill', 'jobs', 'filler'));
  }

  async put(value: string, fates: Fates): Promise<void> {
    await this.survivor.call('put', 'jobs', value);
    fates.set(value, 'present');
  }

  /** A call of somebody who comes for it and leaves again. */
  async asNewcomer(call: string, ...args: unknown[]): Promise<void> {
    await this.newcomer.call('open', 'jobs');
    await this.newcomer.call(call, 'jobs', ...args);
    await this.newcomer.call('close', 'jobs');
  }

  /** Leaves the queue empty. */
  async inspect(fates: Fates): Promise<Inspection> {
    const { survivor } = this;
    await this.asNewcomer('size');
    const settled = (await survivor.call('settle', 'jobs')) as Settled[];
    const wrong = fates.contradictions(settled.filter(({ value }) => value !== 'filler'));
    const lostRoom = this.#room - (await this.fill());
    await survivor.call('drain', 'jobs');
    const bells = this.#bells().filter((name) => !this.#ownBells.includes(name));
    return { wrong, participants: await survivor.participants('jobs'), lostRoom, bells };
  }

  async leave(): Promise<void> {
    await this.newcomer.leave();
    await this.survivor.leave();
  }
}
