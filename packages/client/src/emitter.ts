/** A typed emitter. What a listener throws goes to `onThrow`: the others are called all the same. */
export class Emitter<Events extends object> {
  readonly #hearers = new Map<keyof Events, ((value: never) => void)[]>();
  readonly #onThrow: (error: unknown) => void;

  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** The answer ends it. */
  on<E extends keyof Events>(event: E, hear: (value: Events[E]) => void): () => void {
    // A function of its own each time, so that each answer ends its own registration only.
    const hearer = (value: Events[E]): void => hear(value);
    this.#hearers.set(event, [...(this.#hearers.get(event) ?? []), hearer]);
    return () => {
      const left = this.#hearers.get(event)?.filter((other) => other !== hearer);
      this.#hearers.set(event, left ?? []);
    };
  }

  hears(event: keyof Events): boolean {
    return (this.#hearers.get(event)?.length ?? 0) > 0;
  }

  emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const hear of this.#hearers.get(event) ?? []) {
      try {
        (hear as (value: Events[E]) => void)(value);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }
}
