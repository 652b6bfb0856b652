/**
 * Tells the authority which cells clients of this gateway look at, and how many of them: a cell that
 * somebody sees does not sleep. What is said ends by itself when a gateway dies.
 */
import type { Clock, Log } from '@leasehold/kernel';
import { INTEREST_RUNS_MAX, type Interest, type PlanStore } from '@leasehold/protocol';

const LOOK_MS = 1_000;
/** Said again so often while it is the same, and good for so long. */
const REPEAT_MS = 10_000;
const HOLDS_MS = 30_000;

export type InterestParts = {
  readonly store: Pick<PlanStore, 'putInterest' | 'nowMs'>;
  /** Of this gateway and no other. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The cells of each subscription there is. */
  readonly looking: () => Iterable<Iterable<number>>;
};

type Runs = Interest['runs'];

export class InterestTeller {
  readonly #parts: InterestParts;
  readonly #stop = new AbortController();
  #told: Runs = [];
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #loop: Promise<void> | undefined;

  constructor(parts: InterestParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Says that nobody looks at anything here any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    if (this.#told.length > 0) await this.#tell([]);
  }

  async #run(): Promise<void> {
    const { clock, looking } = this.#parts;
    while (!this.#stop.signal.aborted) {
      const runs = runsOf(looking());
      const isSame = areSame(runs, this.#told);
      // Nobody has to be told again and again of nothing.
      const isDue = runs.length > 0 && clock.nowMs() - this.#toldAtMs >= REPEAT_MS;
      if (!isSame || isDue) await this.#tell(runs);
      await clock.sleep(LOOK_MS, this.#stop.signal);
    }
  }

  async #tell(runs: Runs): Promise<void> {
    const { store, name, clock, log } = this.#parts;
    try {
      await store.putInterest(name, { kind: 'view', untilMs: store.nowMs() + HOLDS_MS, runs });
      this.#told = runs;
      this.#toldAtMs = clock.nowMs();
    } catch (error) {
      log.debug({ err: error }, 'what is looked at cannot be told now');
    }
  }
}

/** How many look at each cell, as runs of cells at which equally many do. */
export function runsOf(looking: Iterable<Iterable<number>>): Runs {
  const counts = new Map<number, number>();
  for (const cells of looking) {
    for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  const runs: [number, number, number][] = [];
  for (const cell of [...counts.keys()].sort((a, b) => a - b)) {
    const viewers = counts.get(cell) as number;
    const last = runs.at(-1);
    const isNext = last !== undefined && last[0] + last[1] === cell && last[2] === viewers;
    if (isNext) last[1]++;
    else runs.push([cell, 1, viewers]);
  }
  return runs.slice(0, INTEREST_RUNS_MAX);
}

function areSame(a: Runs, b: Runs): boolean {
  return a.length === b.length && a.every((run, i) => run.every((value, k) => value === b[i]?.[k]));
}
