/**
 * Which cells nobody needs to hold. A cell is busy when something is in it or in one of its
 * neighbours, or, where the world says so, when something there changes: whoever is about to cross
 * into it finds it awake. Whatever comes to a cell that sleeps all the same wakes it by itself (its
 * sender holds it), so being wrong costs a moment. Nor does a cell sleep that somebody looks at, or
 * that has been ordered to be awake. It sleeps in all layers of a world or in none.
 */
import type { Attention, Loads } from '@leasehold/plan';
import type { Decision, Plan } from '@leasehold/protocol';

export type SleepGrid = {
  readonly cells: number;
  neighbours(cell: number): Iterable<number>;
};

export type SleepRules = {
  /** So long nothing was there; 0 = no cell sleeps. */
  readonly idleMs: number;
  /** Whether what stands still counts as nothing. */
  readonly sleepsStill: boolean;
};

export class Sleep {
  readonly #grid: SleepGrid;
  readonly #rules: SleepRules;
  readonly #busyMs: Float64Array;
  readonly #isAsleep: Uint8Array;

  /** `asleep`: as the plan in force says; all others have just been busy, for all that is known. */
  constructor(grid: SleepGrid, rules: SleepRules, asleep: Plan['asleep'], nowMs: number) {
    this.#grid = grid;
    this.#rules = rules;
    this.#busyMs = new Float64Array(grid.cells).fill(nowMs);
    this.#isAsleep = new Uint8Array(grid.cells);
    for (const [first, count] of asleep) {
      this.#busyMs.fill(Number.NEGATIVE_INFINITY, first, first + count);
      this.#isAsleep.fill(1, first, first + count);
    }
  }

  /** Cells that are to sleep now, as runs. `layers`: the loads of each; `attention`: to any of them. */
  look(layers: readonly Loads[], { viewers, ordered }: Attention, nowMs: number): Plan['asleep'] {
    const { idleMs } = this.#rules;
    if (idleMs === 0) return [];
    for (const loads of layers) this.#hear(loads, nowMs);
    for (let cell = 0; cell < this.#grid.cells; cell++) {
      if (viewers[cell] !== 0 || ordered[cell] !== 0) this.#busyMs[cell] = nowMs;
    }
    for (let cell = 0; cell < this.#grid.cells; cell++) {
      this.#isAsleep[cell] = nowMs - (this.#busyMs[cell] as number) >= idleMs ? 1 : 0;
    }
    return this.asleep;
  }

  /** As at the last look, as runs. */
  get asleep(): Plan['asleep'] {
    return runsOf(this.#grid.cells, (cell) => this.#isAsleep[cell] === 1);
  }

  #hear({ entities, stillMs }: Loads, nowMs: number): void {
    for (let cell = 0; cell < this.#grid.cells; cell++) {
      const cellStillMs = stillMs[cell] as number;
      const isEmpty = (entities[cell] as number) <= 0;
      if (isEmpty && cellStillMs < 0) continue;
      // Whoever has just left an empty cell, or died there, may be told of in another that sleeps.
      const changedMs = isEmpty ? nowMs - cellStillMs : this.#changedMs(cell, cellStillMs, nowMs);
      this.#note(cell, changedMs);
      for (const other of this.#grid.neighbours(cell)) this.#note(other, changedMs);
    }
  }

  #note(cell: number, atMs: number): void {
    if (atMs > (this.#busyMs[cell] as number)) this.#busyMs[cell] = atMs;
  }

  /** When something last happened in a cell in which somebody is. */
  #changedMs(cell: number, stillMs: number, nowMs: number): number {
    if (!this.#rules.sleepsStill) return nowMs;
    if (stillMs >= 0) return nowMs - stillMs;
    // Of what sleeps nobody reports anything; whoever has the others cannot be heard just now.
    return this.#isAsleep[cell] === 1 ? Number.NEGATIVE_INFINITY : nowMs;
  }
}

/** Cells in and around which nothing was ever written: a world begins with those asleep. */
export function untouched(grid: SleepGrid, written: Uint8Array): Plan['asleep'] {
  const isTouched = Uint8Array.from(written);
  for (let cell = 0; cell < grid.cells; cell++) {
    if (written[cell] === 0) continue;
    for (const other of grid.neighbours(cell)) isTouched[other] = 1;
  }
  return runsOf(grid.cells, (cell) => isTouched[cell] === 0);
}

function runsOf(cells: number, isIn: (cell: number) => boolean): Plan['asleep'] {
  const runs: [number, number][] = [];
  for (let cell = 0; cell < cells; cell++) {
    if (!isIn(cell)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === cell) last[1]++;
    else runs.push([cell, 1]);
  }
  return runs;
}

/** Whether two lists of runs name the same cells. */
export const areSame = (a: Plan['asleep'], b: Plan['asleep']): boolean =>
  a.length === b.length &&
  a.every(([first, count], i) => first === b[i]?.[0] && count === b[i]?.[1]);

/**
 * Why other cells sleep than before, as at most two decisions. `attention`: to the cells of a world, of
 * which the home layer decides; absent: it has decided.
 */
export function sleepDecisions(
  before: Plan['asleep'],
  after: Plan['asleep'],
  attention?: Attention,
): Decision[] {
  const was = new Set(numbersOf(before));
  const is = new Set(numbersOf(after));
  const fallen = [...is].filter((cell) => !was.has(cell)).length;
  const woken = [...was].filter((cell) => !is.has(cell));
  const reasons = attention === undefined ? 'they do in the home layer' : wakers(woken, attention);
  const decision = (kind: 'wake' | 'sleep', cells: number, cause: string): Decision[] =>
    cells === 0 ? [] : [{ kind, cause, regions: [], cells, before: {}, expected: {} }];
  const idle =
    attention === undefined
      ? `${fallen} cells go to sleep, as they do in the home layer.`
      : `${fallen} cells in and around which nothing happened for long go to sleep.`;
  return [
    ...decision('wake', woken.length, `${woken.length} cells wake: ${reasons}.`),
    ...decision('sleep', fallen, idle),
  ];
}

function wakers(woken: readonly number[], { viewers, ordered }: Attention): string {
  const commanded = woken.filter((cell) => ordered[cell] !== 0).length;
  const seen = woken.filter((cell) => ordered[cell] === 0 && viewers[cell] !== 0).length;
  const busy = woken.length - commanded - seen;
  return [
    ...(busy > 0 ? [`something is in or beside ${busy} of them`] : []),
    ...(seen > 0 ? [`somebody looks at ${seen} of them`] : []),
    ...(commanded > 0 ? [`${commanded} of them have been ordered to`] : []),
  ].join(', ');
}

function* numbersOf(runs: Plan['asleep']): Iterable<number> {
  for (const [first, count] of runs) for (let i = 0; i < count; i++) yield first + i;
}
