const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** Steps of a path that are shown from either end of a long one. */
const SHOWN_STEPS = 8;

/** A value that cannot be carried, and the way from the message to it, which is noted on the way out. */
export class Refusal extends Error {
  readonly value: unknown;
  readonly #steps: string[] = [];

  constructor(value: unknown, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.value = value;
  }

  /** The value was found in there: `[3]`, `.cause`. */
  within(step: string): void {
    this.#steps.push(step);
  }

  /** `value.a[3].f` */
  get path(): string {
    const steps = this.#steps.toReversed();
    if (steps.length > 2 * SHOWN_STEPS)
      steps.splice(SHOWN_STEPS, steps.length - 2 * SHOWN_STEPS, '…');
    return `value${steps.join('')}`;
  }
}

/** The step to a property. */
export function stepTo(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  return IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** What was thrown as a refusal that has come up through `step`. */
export function refusedAt(step: string, thrown: unknown): unknown {
  const refusal = refusalOf(thrown);
  refusal.within(step);
  return refusal;
}

/** What a getter, a travel or the machine has thrown, as a refusal. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  return new Refusal(undefined, thrown instanceof Error ? thrown.message : String(thrown), {
    cause: thrown,
  });
}
