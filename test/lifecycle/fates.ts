/** What must have become of each message, going by what a program announced before it was killed. */

export interface Step {
  readonly at: 'before' | 'doing' | 'did';
  readonly step: string;
  readonly value: string;
}

export interface Settled {
  readonly value: string;
  readonly redelivered: boolean;
}

/** present: there, once. returned: there, once, and marked. uncertain: the killed call either did it or did not. */
export type Fate = 'present' | 'returned' | 'uncertain' | 'gone';

/** A step that was killed halfway, and one that returned. */
const OUTCOMES: Readonly<Record<string, { readonly doing?: Fate; readonly did?: Fate }>> = {
  put: { doing: 'uncertain', did: 'present' },
  get: { doing: 'uncertain', did: 'gone' },
  receive: { did: 'returned' },
  ack: { doing: 'uncertain', did: 'gone' },
  nack: { did: 'returned' },
};

export class Fates {
  readonly #fates = new Map<string, Fate>();

  follow({ at, step, value }: Step): void {
    // A receive that acknowledged before it said so is not undone.
    if (at === 'before' || this.#fates.get(value) === 'gone') return;
    const fate = OUTCOMES[step]?.[at];
    if (fate !== undefined) this.set(value, fate);
  }

  /** Known from elsewhere. */
  set(value: string, fate: Fate): void {
    this.#fates.set(value, fate);
  }

  /** What is wrong with what was found, in the order it was found: nothing, if all is well. */
  contradictions(found: readonly Settled[]): string[] {
    const wrong: string[] = [];
    const values = found.map(({ value }) => value);
    for (const [value, fate] of this.#fates) {
      const count = values.filter((one) => one === value).length;
      const [least, most] = fate === 'uncertain' ? [0, 1] : fate === 'gone' ? [0, 0] : [1, 1];
      if (count < least || count > most) wrong.push(`${value} is ${fate} and came ${count} times`);
      const isMarked = found.some((one) => one.value === value && one.redelivered);
      if (fate === 'returned' && count > 0 && !isMarked) wrong.push(`${value} came without a mark`);
    }
    for (const value of values) {
      if (!this.#fates.has(value)) wrong.push(`${value} came out of nowhere`);
    }
    const inOrder = [...this.#fates.keys()].filter((value) => values.includes(value));
    if (wrong.length === 0 && inOrder.join() !== values.join()) {
      wrong.push(`came in the order ${values.join()}`);
    }
    return wrong;
  }
}
