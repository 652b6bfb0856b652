/**
 * Goal: regions by load are as even as cells allow, with short borders, and stay where they are
 * while nothing happens.
 * Method: worlds that are made up and seeded, replayed with the policy and with both baselines.
 *
 * Of cells moved: a static grid moves none and pays with imbalance; dealing out cells moves
 * fewer, as it scatters a crowd over all pods wherever it walks, and pays with borders as long as the
 * world has cells. What is whole and even has to follow who walks; how far is held here.
 */
import { createRandom } from '@leasehold/kernel';
import type { Plan } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { hotSpots, type Spot, spotLoads, walkingCrowd } from './crowds-fixture.ts';
import { greedyByCell, makePlan, regionsByLoad, replay, staticGrid } from './index.ts';
import { gridOf, loadsOf, podsOf } from './testing.ts';

const seeds = process.env['SIM_SEED'] ? [Number(process.env['SIM_SEED'])] : [1, 7, 42];

const field = gridOf(64, 64);
const globe = { columns: 36, rows: 18, wrapsX: true, wrapsY: false };
/** Dealing out cells takes long; every tenth second says enough of its borders. */
const compared = (options: Omit<Parameters<typeof replay>[0], 'policy'>) => {
  const samples = options.samples.filter((_, n) => n % 10 === 0);
  return [
    replay({ ...options, policy: regionsByLoad }),
    replay({ ...options, samples, policy: staticGrid }),
    replay({ ...options, samples, policy: greedyByCell }),
  ];
};

describe.each(seeds)('SIM_SEED=%i', (seed) => {
  test.each([4, 8])('a crowd walks over 64 × 64 cells and %i pods follow', (pods) => {
    const crowd = { grid: field, pods, seconds: 300, seed, noise: 0.1, widthCells: 8 };
    const samples = walkingCrowd(crowd);
    const [ours, even, greedy] = compared({ grid: field, samples, settleMs: 30_000 });
    expect(ours!.imbalance.mean).toBeLessThan(1.25);
    expect(ours!.imbalance.p95).toBeLessThan(1.5);
    expect(ours!.imbalance.mean).toBeLessThan(even!.imbalance.mean / 2);
    expect(ours!.borderLength).toBeLessThan(greedy!.borderLength / 5);
    expect(ours!.borderLength).toBeLessThan(even!.borderLength * 1.3);
    // The crowd crosses the world one and a half times in five minutes.
    expect(ours!.cellsMovedPerMinute).toBeLessThan(4_096);
    expect(ours!.refused).toBeUndefined();
  });

  test.each([4, 6, 12])('places like cities, breathing: %i pods settle', (pods) => {
    const spots = { grid: globe, pods, seconds: 300, seed, noise: 0.1, places: 40 };
    const samples = hotSpots(spots);
    const [ours, even, greedy] = compared({ grid: globe, samples, settleMs: 60_000 });
    expect(ours!.imbalance.mean).toBeLessThan(1.25 * ours!.imbalanceFloor);
    expect(ours!.imbalance.mean).toBeLessThan(even!.imbalance.mean);
    expect(ours!.borderLength).toBeLessThan(greedy!.borderLength / 2);
    expect(ours!.cellsMovedPerMinute).toBeLessThan(0.5 * 36 * 18);
  });
});

describe('a load that stands still', () => {
  const worlds = seeds.flatMap((seed) =>
    [1, 8, 30].flatMap((places) => [4, 8, 16].map((pods) => [places, pods, seed] as const)),
  );

  test.each(worlds)('%i places, %i pods, SIM_SEED=%i: even, and then nothing moves', (...world) => {
    const [places, count, seed] = world;
    const { spots, random } = standing(places, seed);
    const exact = spotLoads(field, spots, 100);
    const pods = podsOf(count);
    // All but one come later: the plan grows from one region.
    let plan: Plan | undefined;
    let lastChange = 0;
    const settle = (round: number, tickMs: Float64Array): void => {
      const here = round === 0 ? pods.slice(0, 1) : pods;
      const input = { grid: field, loads: loadsOf(tickMs), pods: here, previous: plan };
      const made = makePlan(regionsByLoad, { ...input, nowMs: round * 5_000 });
      if (made.plan !== plan) lastChange = round;
      plan = made.plan;
    };
    for (let round = 0; round < 20; round++) settle(round, exact);
    expect(lastChange).toBeLessThan(8);
    expect(imbalanceOf(plan!, exact)).toBeLessThan(1.3 * floorOf(exact, count));
    let changes = 0;
    for (let round = 20; round < 60; round++) {
      settle(
        round,
        exact.map((ms) => ms * random.between(0.9, 1.1)),
      );
      if (lastChange === round) changes++;
    }
    expect(changes).toBeLessThanOrEqual(3);
  });
});

test.each([15, 22, 29, 36])(
  'many pods, and borders that cost as much as ticks: no change is taken back (%i)',
  (seed) => {
    const [spot] = standing(1, seed).spots;
    const tickMs = spotLoads(field, [{ ...spot!, widthCells: 2 }], 3);
    const loads = loadsOf(tickMs);
    for (const count of [16, 32]) {
      let plan: Plan | undefined;
      let lastChange = 0;
      for (let round = 0; round < 40; round++) {
        const input = { grid: field, loads, pods: podsOf(count), previous: plan };
        const made = makePlan(regionsByLoad, { ...input, nowMs: round * 5_000 });
        if (made.plan !== plan) lastChange = round;
        plan = made.plan;
      }
      expect(lastChange, `${count} pods`).toBeLessThan(15);
    }
  },
);

function standing(places: number, seed: number) {
  const random = createRandom(seed * 1_000 + places);
  const spots: Spot[] = Array.from({ length: places }, () => ({
    x: random.float() * 64,
    y: random.float() * 64,
    widthCells: (0.5 + random.float()) * 6,
    part: random.float() + 0.1,
  }));
  return { spots, random };
}

function imbalanceOf(plan: Plan, tickMs: Float64Array): number {
  const sums = new Map<string, number>();
  for (const { pod, rect } of plan.regions) {
    let sum = sums.get(pod) ?? 0;
    for (let row = rect.row; row < rect.row + rect.rows; row++) {
      for (let n = 0; n < rect.columns; n++) sum += tickMs[row * 64 + rect.column + n]!;
    }
    sums.set(pod, sum);
  }
  const total = tickMs.reduce((sum, ms) => sum + ms, 0);
  return (Math.max(...sums.values()) / total) * sums.size;
}

/** No pod can have less than the heaviest cell. */
function floorOf(tickMs: Float64Array, pods: number): number {
  const total = tickMs.reduce((sum, ms) => sum + ms, 0);
  return Math.max(1, (Math.max(...tickMs) / total) * pods);
}
