/**
 * What a plan costs the authority: from nothing, when loads have shifted, and when nothing is to be
 * done, which is nearly always; for worlds of three sizes, to see how it grows.
 */
import { createRandom } from '@leasehold/kernel';
import { type Loads, makePlan, type PlanInput, regionsByLoad } from '@leasehold/plan';
import { type Benchmark, type Figure, median } from './figure.ts';

const PODS = 100;
const ROUNDS = 15;
const SIDES = [50, 100, 200];
/** A hundred crowds in a world of a hundred by a hundred cells. */
const CROWDS = 100;
const PLAN_MS_MAX = 50;

type Cost = { readonly first: number; readonly again: number; readonly still: number };

export const plan: Benchmark = {
  tag: 'plan',
  what: `a plan for ${PODS} pods and up to ${(SIDES.at(-1)! ** 2).toLocaleString('en-US')} cells`,
  run(say, { isQuick }) {
    const sides = isQuick ? [20, 40] : SIDES;
    const rounds = isQuick ? 1 : ROUNDS;
    // Rounds take turns over the sizes, so that a noisy neighbour touches all of them.
    const costs = sides.map((): Cost[] => []);
    for (let round = isQuick ? 0 : -3; round < rounds; round++) {
      sides.forEach((side, size) => {
        const cost = measure(side, round);
        if (round >= 0) costs[size]!.push(cost);
      });
      if (round >= 0) {
        const last = costs.map((of) => of.at(-1)!.again.toFixed(1));
        say(`round ${round + 1}: loads shifted, ${last.join(', ')} ms`);
      }
    }
    const of = (size: number, what: keyof Cost): number =>
      median(costs[size]!.map((cost) => cost[what]));
    const figures = sides.flatMap((side, size) =>
      figuresOf(side, (what) => of(size, what), isQuick),
    );
    if (!isQuick) figures.push(...growthOf((size) => of(size, 'again') + of(size, 'still')));
    return Promise.resolve(figures);
  },
};

const counted = (cells: number): string => cells.toLocaleString('en-US');

function figuresOf(side: number, of: (what: keyof Cost) => number, isQuick: boolean): Figure[] {
  const name = `${counted(side * side)} cells, ${PODS} pods`;
  const isAim = side === 100 && !isQuick;
  const aim = (value: number) =>
    isAim ? { target: `≤ ${PLAN_MS_MAX}`, isMet: value <= PLAN_MS_MAX } : {};
  const figure = (what: string, value: number): Figure => ({
    ...{ name: `${name}: ${what}`, value, unit: 'ms' },
    ...aim(value),
  });
  return [
    figure('a plan from nothing', of('first')),
    figure('a plan after loads have shifted', of('again')),
    figure('a look that changes nothing', of('still')),
  ];
}

/** Of a world with 16 times the cells; n log n is what sorting them would cost. */
function growthOf(of: (size: number) => number): Figure[] {
  const [small, large] = [SIDES[0]! ** 2, SIDES.at(-1)! ** 2];
  const times = of(SIDES.length - 1) / of(0);
  const most = (large * Math.log(large)) / (small * Math.log(small));
  return [
    {
      ...{ name: `${counted(large)} cells, as long as ${counted(small)}`, value: times },
      ...{ unit: 'times', target: `≤ ${most.toFixed(1)}`, isMet: times <= most },
    },
  ];
}

function measure(side: number, seed: number): Cost {
  const grid = { columns: side, rows: side, wrapsX: true, wrapsY: false };
  const pods = Array.from({ length: PODS }, (_, n) => ({
    pod: `pod-${n}`,
    state: 'ready' as const,
  }));
  const before = crowds(side, seed, 0);
  const after = crowds(side, seed, 1.5);
  const timed = (input: Omit<PlanInput, 'grid' | 'pods'>) => {
    const from = performance.now();
    const { plan: made } = makePlan(regionsByLoad, { grid, pods, ...input });
    return { ms: performance.now() - from, made };
  };
  const first = timed({ loads: before, nowMs: 0 });
  let previous = first.made;
  // Whatever is to be done has been done after some looks; the first of them is the one that counts.
  const again = timed({ loads: after, previous, nowMs: 10_000 });
  previous = again.made;
  for (let look = 0; look < 5; look++) {
    previous = timed({ loads: after, previous, nowMs: 20_000 + look * 10_000 }).made;
  }
  const still = timed({ loads: after, previous, nowMs: 100_000 });
  return { first: first.ms, again: again.ms, still: still.ms };
}

/** Crowds of different size; `shift` is how many cells each has walked. */
function crowds(side: number, seed: number, shift: number): Loads {
  const random = createRandom(seed + 100);
  const tickMs = new Float64Array(side * side);
  for (let crowd = 0; crowd < CROWDS; crowd++) {
    const width = (side / 100) * (1 + 3 * random.float());
    const size = 0.1 + random.float() ** 2;
    const angle = random.float() * 2 * Math.PI;
    const x = random.float() * side + Math.cos(angle) * shift * (side / 100);
    const y = random.float() * side + Math.sin(angle) * shift * (side / 100);
    const reach = Math.ceil(4 * width);
    const row0 = Math.max(0, Math.floor(y) - reach);
    const column0 = Math.max(0, Math.floor(x) - reach);
    for (let row = row0; row < Math.min(side, y + reach); row++) {
      for (let column = column0; column < Math.min(side, x + reach); column++) {
        const away = (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2;
        tickMs[row * side + column]! +=
          (size * 20 * Math.exp(-away / (2 * width ** 2))) / width ** 2;
      }
    }
  }
  const entities = tickMs.map((ms) => ms * 1_000);
  return { atMs: 0, tickMs, entities, stillMs: tickMs.map(() => 0), lies: [] };
}
