import type { CellLoad } from '@leasehold/protocol';
import { describe, expect, test } from 'vitest';
import { CELL_ENTITIES_MAX, CELL_TICK_MS_MAX, gatherLoads, LIES_PER_POD_MAX } from './index.ts';

const honest: CellLoad[] = [
  { cell: 0, tickMs: 2, entities: 100 },
  { cell: 1, tickMs: 4, entities: 200 },
];
const gather = (reports: Record<string, CellLoad[]>, nowMs = 0) =>
  gatherLoads({ reports: new Map(Object.entries(reports)), cells: 4, nowMs });

describe('a pod that lies about ticks', () => {
  test.each([
    [Number.NaN, 'not a number'],
    [-1, 'negative'],
    [1e12, 'too large'],
    [Number.POSITIVE_INFINITY, 'too large'],
  ] as const)(
    'is named, and %d ms are taken to be what its entities cost elsewhere',
    (tickMs, reason) => {
      const loads = gather({ a: honest, liar: [{ cell: 2, tickMs, entities: 50 }] });
      expect(loads.tickMs[2]).toBeCloseTo(1);
      expect(loads.lies).toEqual([
        expect.objectContaining({
          pod: 'liar',
          cell: 2,
          field: 'tickMs',
          reason,
          value: String(tickMs),
        }),
      ]);
      expect(loads.lies[0]!.remedy).not.toBe('');
    },
  );

  test('does not change what others say of the cell', () => {
    const loads = gather({ a: honest, liar: [{ cell: 1, tickMs: 1e12, entities: 200 }] });
    expect([...loads.tickMs]).toEqual([2, 4, 0, 0]);
  });

  test('about a cell with nobody in it is nothing, also where honest time is all in empty cells', () => {
    const empty = [{ cell: 0, tickMs: 2, entities: 0 }];
    const loads = gather({ a: empty, liar: [{ cell: 2, tickMs: 1e12, entities: 0 }] });
    expect([...loads.tickMs]).toEqual([2, 0, 0, 0]);
  });
});

test.each([
  [Number.NaN, 'not a number'],
  [-5, 'negative'],
  [1e12, 'too large'],
] as const)('of %d entities none are believed', (entities, reason) => {
  const loads = gather({ liar: [{ cell: 0, tickMs: 1, entities }] });
  expect([loads.entities[0], loads.tickMs[0]]).toEqual([0, 1]);
  expect(loads.lies).toMatchObject([{ field: 'entities', reason }]);
});

test('how long a cell has been still: the shortest that is told, and nothing that cannot be true', () => {
  const still = (cell: number, stillMs?: number): CellLoad => {
    return { cell, tickMs: 1, entities: 1, ...(stillMs === undefined ? {} : { stillMs }) };
  };
  const a = [still(0, 300), still(1, Number.NaN), still(2)];
  const b = [still(0, 200), still(1, -5)];
  expect([...gather({ a, b }).stillMs]).toEqual([200, 0, 0, -1]);
  expect(gather({ a: [still(0, Number.POSITIVE_INFINITY)] }).stillMs[0]).toBe(0);
});

test('both fields of one report may be lies', () => {
  const loads = gather({ a: honest, liar: [{ cell: 2, tickMs: -1, entities: 1e12 }] });
  expect([loads.tickMs[2], loads.entities[2]]).toEqual([0, 0]);
  expect(loads.lies.map(({ field }) => field)).toEqual(['tickMs', 'entities']);
});

test.each([-1, 4, 0.5, Number.NaN])('a cell %d that the grid does not have is not used', (cell) => {
  const loads = gather({ liar: [{ cell, tickMs: 1, entities: 1 }] });
  expect(loads.tickMs).toEqual(new Float64Array(4));
  expect(loads.lies).toMatchObject([{ field: 'cell', reason: 'no such cell' }]);
});

test('the largest numbers that can be true are believed', () => {
  const loads = gather({
    a: [{ cell: 0, tickMs: CELL_TICK_MS_MAX, entities: CELL_ENTITIES_MAX }],
  });
  expect(loads.tickMs[0]).toBe(CELL_TICK_MS_MAX);
  expect(loads.lies).toEqual([]);
});

test('the first lies of each pod are named', () => {
  const many = Array.from({ length: 50 }, () => ({ cell: -1, tickMs: 1, entities: 1 }));
  expect(gather({ a: many, b: many }).lies).toHaveLength(2 * LIES_PER_POD_MAX);
});

test('of two pods that report a cell the larger counts, in whatever order they come', () => {
  const more = [{ cell: 0, tickMs: 3, entities: 90 }];
  const loads = gather({ a: honest, b: more });
  expect([loads.tickMs[0], loads.entities[0]]).toEqual([3, 100]);
  expect(gather({ b: more, a: honest })).toEqual(loads);
});

describe('after loads that were gathered before', () => {
  const last = gather({ a: honest });
  const later = (reports: CellLoad[], nowMs: number) =>
    gatherLoads({ reports: new Map([['a', reports]]), cells: 4, nowMs, last });

  test('another cost is believed little by little, and one that is far from what it was sooner', () => {
    const at = (nowMs: number, tickMs: number) =>
      later([{ cell: 0, tickMs, entities: 100 }], nowMs).tickMs[0]!;
    expect(at(0, 12)).toBeCloseTo(2);
    expect(at(20_000, 3)).toBeCloseTo(2 + (1 - Math.exp(-1)));
    expect(at(20_000, 1)).toBeCloseTo(1 + Math.exp(-1));
    expect(at(4_000, 0.4)).toBeCloseTo(0.4 + 1.6 * Math.exp(-1));
    expect(at(4_000, 12)).toBeCloseTo(2 + 10 * (1 - Math.exp(-1)));
    expect(at(250_000, 12)).toBeCloseTo(12);
  });

  test('a crowd that comes or goes counts at once', () => {
    const at = (cell: number, entities: number, tickMs: number) =>
      later([{ cell, tickMs, entities }], 0).tickMs[cell]!;
    expect(at(0, 520, 2)).toBeCloseTo(10, 0);
    expect(at(0, 0, 0)).toBe(0);
    // Where nobody was before: what an entity costs elsewhere, here in the one cell that is reported.
    expect(at(3, 10, 0.5)).toBeCloseTo(0.5);
  });

  test('a cell that nobody reports is forgotten slowly, as its pod may just have died', () => {
    expect(later([], 1_000).tickMs[1]).toBeGreaterThan(3.5);
    expect(later([], 300_000).tickMs[1]).toBeLessThan(0.01);
  });

  test('a clock that was set back does no harm', () => {
    const loads = later([{ cell: 0, tickMs: 12, entities: 100 }], -1e9);
    expect([...loads.tickMs]).toEqual([2, 4, 0, 0]);
  });

  test('those of a grid of another size are not used', () => {
    const loads = gatherLoads({ reports: new Map([['a', honest]]), cells: 2, nowMs: 9, last });
    expect([...loads.tickMs]).toEqual([2, 4]);
  });
});

test('before anything has ticked, the work is taken to be where the entities are', () => {
  const reports = new Map([
    ['a', [{ cell: 0, tickMs: 0, entities: 900 }]],
    ['b', [{ cell: 1, tickMs: 0, entities: 100 }]],
  ]);
  const { tickMs } = gatherLoads({ reports, cells: 4, nowMs: 1_000 });
  expect(tickMs[0]! / tickMs[1]!).toBeCloseTo(9, 6);
  expect([tickMs[2], tickMs[3]]).toEqual([0, 0]);
});
