/**
 * The plan that the pods of a layer go by. Cells sleep in all layers of a world together: what the plan
 * of this one lets sleep is awake as soon as that of the home layer says so, whoever plans this one.
 */
import type { Plan } from '@leasehold/protocol';
import type { PodParts } from './settings.ts';

type Runs = Plan['asleep'];

export class PlanInForce {
  readonly #parts: Pick<PodParts, 'store' | 'engine'>;
  #own: Plan | undefined;
  #home: Plan | undefined;
  #plan: Plan | undefined;

  constructor(parts: Pick<PodParts, 'store' | 'engine'>) {
    this.#parts = parts;
  }

  /** The same object while it is the same. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  /** Whether it is said what sleeps. */
  get isWhole(): boolean {
    return this.#own !== undefined && (this.#isHome || this.#home !== undefined);
  }

  async read(): Promise<void> {
    const { store, engine } = this.#parts;
    const [own, home] = await Promise.all([
      store.plan(),
      this.#isHome ? undefined : store.plan(engine.home),
    ]);
    if (own === this.#own && home === this.#home) return;
    this.#own = own;
    this.#home = home;
    this.#plan = own === undefined || this.#isHome ? own : { ...own, asleep: meet(own, home) };
  }

  get #isHome(): boolean {
    const { engine } = this.#parts;
    return engine.layer === engine.home;
  }
}

/** Cells that both let sleep. */
function meet({ asleep: own }: Plan, home: Plan | undefined): Runs {
  const other = home?.asleep ?? [];
  const runs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < own.length && j < other.length; ) {
    const [first, count] = own[i] as Runs[number];
    const [otherFirst, otherCount] = other[j] as Runs[number];
    const from = Math.max(first, otherFirst);
    const to = Math.min(first + count, otherFirst + otherCount);
    if (from < to) runs.push([from, to - from]);
    if (first + count < otherFirst + otherCount) i++;
    else j++;
  }
  return runs;
}
