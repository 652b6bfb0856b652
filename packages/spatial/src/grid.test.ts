import { hasCode, type LeaseholdError } from '@leasehold/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Grid, greatCircleDestination, type SpaceSpec } from './index.ts';

const spaces: SpaceSpec[] = [
  { kind: 'plane', width: 1000, height: 700, cell: 100 },
  { kind: 'plane', width: 950, height: 33, cell: 100 },
  { kind: 'torus', width: 1000, height: 300, cell: 100 },
  { kind: 'torus', width: 0.7, height: 0.9, cell: 0.1 },
  { kind: 'wgs84', cell: 5 },
  { kind: 'wgs84', cell: 60 },
  { kind: 'wgs84', cell: 0.5 },
];
const grids = spaces.map((spec) => new Grid(spec));

const anyGrid = fc.constantFrom(...grids);
/** Inside, on borders, just beside them, and far outside. */
const anyOffset = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: -3, max: 3, noNaN: true }),
  fc.constantFrom(0, -0, 1, 0.5, 1 - 2 ** -53, -(2 ** -53), Number.MIN_VALUE, -Number.MIN_VALUE),
);
const anyPlace = fc.record({ grid: anyGrid, across: anyOffset, up: anyOffset }).map((place) => ({
  grid: place.grid,
  x: place.grid.originX + place.across * place.grid.width,
  y: place.grid.originY + place.up * place.grid.height,
}));
const anyCell = fc
  .record({ grid: anyGrid, at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }) })
  .map(({ grid, at }) => ({ grid, cell: Math.floor(at * grid.cells) }));
const runs = { numRuns: 2_000 };

/** Steps between two cells when a diagonal step counts as one. */
function stepsBetween(grid: Grid, a: number, b: number): number {
  const apart = (from: number, to: number, count: number, wraps: boolean) => {
    const direct = Math.abs(to - from);
    return wraps ? Math.min(direct, count - direct) : direct;
  };
  const columns = apart(grid.columnOf(a), grid.columnOf(b), grid.columns, grid.wrapsX);
  const rows = apart(grid.rowOf(a), grid.rowOf(b), grid.rows, grid.wrapsY);
  return Math.max(columns, rows);
}

const isInside = (grid: Grid, cell: number, x: number, y: number): boolean => {
  // The upper border is the lower one of the next cell, as minX tells it; the last has the edge.
  const right = grid.columnOf(cell) + 1 === grid.columns ? Infinity : grid.minX(cell + 1);
  const top = grid.rowOf(cell) + 1 === grid.rows ? Infinity : grid.minY(cell + grid.columns);
  return x >= grid.minX(cell) && x < right && y >= grid.minY(cell) && y < top;
};

describe('cells', () => {
  test('every point lies in exactly one cell, whose bounds contain it', () => {
    fc.assert(
      fc.property(anyPlace, ({ grid, x, y }) => {
        const cell = grid.cellAt(x, y);
        expect(Number.isInteger(cell) && cell >= 0 && cell < grid.cells).toBe(true);
        const [wx, wy] = [grid.wrapX(x), grid.wrapY(y)];
        expect(grid.cellAt(wx, wy)).toBe(cell);
        const near = [cell, ...grid.neighbours(cell)].filter((c) => isInside(grid, c, wx, wy));
        expect(near).toEqual([cell]);
      }),
      runs,
    );
  });

  test('the corner and the centre that a cell tells lie in it', () => {
    fc.assert(
      fc.property(anyCell, ({ grid, cell }) => {
        expect(grid.cellAt(grid.minX(cell), grid.minY(cell))).toBe(cell);
        if (grid.centreX(cell) < grid.originX + grid.width) {
          expect(grid.columnOf(grid.cellAt(grid.centreX(cell), 0))).toBe(grid.columnOf(cell));
        }
      }),
      runs,
    );
  });

  test('a border belongs to the upper cell and the number before it to the lower, to the last bit', () => {
    for (const cell of [0.1, 0.3, 0.7, 1 / 3, 1.1, 1e-3 / 7, 123.456]) {
      const grid = new Grid({ kind: 'plane', width: 1000 * cell, height: cell, cell });
      for (let column = 1; column < 1000; column++) {
        const border = grid.minX(column);
        const before = border * (1 - Number.EPSILON / 2);
        expect(before).toBeLessThan(border);
        expect([grid.cellAt(before, 0), grid.cellAt(border, 0)]).toEqual([column - 1, column]);
      }
    }
  });

  test('cells are numbered row by row from the lowest corner', () => {
    const grid = new Grid({ kind: 'plane', width: 1000, height: 700, cell: 100 });
    expect([grid.columns, grid.rows, grid.cells]).toEqual([10, 7, 70]);
    expect(grid.cellAt(0, 0)).toBe(0);
    expect(grid.cellAt(999, 0)).toBe(9);
    expect(grid.cellAt(0, 100)).toBe(10);
    expect([grid.minX(13), grid.minY(13)]).toEqual([300, 100]);
  });

  test('a plane counts what is outside as being in its border cells', () => {
    const grid = new Grid({ kind: 'plane', width: 1000, height: 700, cell: 100 });
    expect(grid.cellAt(-5, -5)).toBe(0);
    expect(grid.cellAt(5_000, 350)).toBe(39);
    expect(grid.cellAt(Number.MAX_VALUE, Number.MAX_VALUE)).toBe(69);
  });

  test('a plane need not be a whole number of cells', () => {
    const grid = new Grid({ kind: 'plane', width: 950, height: 33, cell: 100 });
    expect([grid.columns, grid.rows]).toEqual([10, 1]);
  });

  test('on WGS84 +180 is −180, and the poles are in the last rows', () => {
    const grid = new Grid({ kind: 'wgs84', cell: 5 });
    expect([grid.columns, grid.rows]).toEqual([72, 36]);
    expect(grid.wrapX(180)).toBe(-180);
    expect(grid.cellAt(180, 0)).toBe(grid.cellAt(-180, 0));
    expect(grid.columnOf(grid.cellAt(179.999, 0))).toBe(71);
    expect(grid.rowOf(grid.cellAt(0, 90))).toBe(35);
    expect(grid.rowOf(grid.cellAt(0, -90))).toBe(0);
  });

  test('a coordinate that is not finite is refused by name', () => {
    const grid = new Grid({ kind: 'wgs84', cell: 5 });
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      for (const call of [() => grid.cellAt(bad, 0), () => grid.nextCell(0, bad, 0)]) {
        expect(call).toThrow(expect.objectContaining({ code: 'SPATIAL_NOT_FINITE' }));
      }
    }
    expect(() => grid.cellAt(0, Number.NaN)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ field: 'y', value: 'NaN' }) }),
    );
  });
});

describe('neighbours', () => {
  test('are symmetric, distinct, ascending, one step away, and never the cell itself', () => {
    fc.assert(
      fc.property(anyCell, ({ grid, cell }) => {
        const near = [...grid.neighbours(cell)];
        expect(near).toEqual([...new Set(near)].sort((a, b) => a - b));
        for (const other of near) {
          expect(stepsBetween(grid, cell, other)).toBe(1);
          expect(grid.neighbours(other)).toContain(cell);
        }
      }),
      runs,
    );
  });

  test('of the one cell of a torus are none, and nobody leaves it', () => {
    const whole = new Grid({ kind: 'torus', width: 100, height: 100, cell: 100 });
    expect([...whole.neighbours(0)]).toEqual([]);
    expect(whole.nextCell(0, 130, -20)).toBe(0);
    expect(whole.deltaX(95, 5)).toBe(10);
  });

  test('number 8 on a torus, 5 at an edge, 3 in a corner', () => {
    const torus = new Grid({ kind: 'torus', width: 300, height: 300, cell: 100 });
    expect([...torus.neighbours(4)]).toEqual([0, 1, 2, 3, 5, 6, 7, 8]);
    expect([...torus.neighbours(0)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const plane = new Grid({ kind: 'plane', width: 300, height: 300, cell: 100 });
    expect([...plane.neighbours(0)]).toEqual([1, 3, 4]);
    expect([...plane.neighbours(1)]).toEqual([0, 2, 3, 4, 5]);
    const single = new Grid({ kind: 'plane', width: 1, height: 1, cell: 100 });
    expect([...single.neighbours(0)]).toEqual([]);
  });

  test('meet across the antimeridian, and end at the poles', () => {
    const grid = new Grid({ kind: 'wgs84', cell: 5 });
    const east = grid.cellAt(179, 1);
    const west = grid.cellAt(-179, 1);
    expect(grid.neighbours(east)).toContain(west);
    expect(grid.neighbours(grid.cellAt(10, 89)).length).toBe(5);
  });

  test('are computed once', () => {
    const grid = new Grid({ kind: 'torus', width: 300, height: 300, cell: 100 });
    expect(grid.neighbours(4)).toBe(grid.neighbours(4));
  });
});

describe('blocks', () => {
  test('every cell is in exactly one block, and the last blocks are narrower', () => {
    for (const blockCells of [1, 3, 4, 16]) {
      for (const spec of spaces.filter((space) => space.cell !== 0.5)) {
        const grid = new Grid(spec, { blockCells });
        const seen: number[] = [];
        for (let block = 0; block < grid.blocks; block++) {
          for (const cell of grid.cellsOfBlock(block)) {
            expect(grid.blockOf(cell)).toBe(block);
            expect(Math.floor(grid.columnOf(cell) / blockCells)).toBe(grid.blockX(block));
            expect(Math.floor(grid.rowOf(cell) / blockCells)).toBe(grid.blockY(block));
            seen.push(cell);
          }
        }
        expect(seen.length).toBe(grid.cells);
        expect(new Set(seen).size).toBe(grid.cells);
      }
    }
    const grid = new Grid({ kind: 'plane', width: 1000, height: 700, cell: 100 });
    expect([grid.blockColumns, grid.blockRows, grid.blocks]).toEqual([3, 2, 6]);
    expect([...grid.cellsOfBlock(5)]).toEqual([48, 49, 58, 59, 68, 69]);
  });
});

describe('crossing', () => {
  test('an entity reaches its place in no more steps than the cells are apart', () => {
    fc.assert(
      fc.property(
        anyPlace,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        ({ grid, x, y }, from) => {
          let cell = Math.floor(from * grid.cells);
          const target = grid.cellAt(x, y);
          const steps = stepsBetween(grid, cell, target);
          for (let step = 0; step < steps; step++) {
            const next = grid.nextCell(cell, x, y);
            if (next === cell) break;
            expect(grid.neighbours(cell)).toContain(next);
            expect(stepsBetween(grid, next, target)).toBeLessThanOrEqual(
              stepsBetween(grid, cell, target),
            );
            cell = next;
          }
          expect(grid.nextCell(cell, x, y)).toBe(cell);
          expect(stepsBetween(grid, cell, target)).toBeLessThanOrEqual(1);
          const reach = grid.cellSize * (0.5 + grid.margin + 1e-6);
          expect(Math.abs(grid.deltaX(grid.centreX(cell), grid.wrapX(x)))).toBeLessThan(reach);
          expect(Math.abs(grid.deltaY(grid.centreY(cell), grid.wrapY(y)))).toBeLessThan(reach);
        },
      ),
      runs,
    );
  });

  test('an entity in its own cell stays, whatever the margin', () => {
    const bare = spaces.map((spec) => new Grid(spec, { margin: 0 }));
    fc.assert(
      fc.property(anyPlace, ({ grid, x, y }) => {
        const twin = bare[grids.indexOf(grid)] as Grid;
        for (const g of [grid, twin]) expect(g.nextCell(g.cellAt(x, y), x, y)).toBe(g.cellAt(x, y));
      }),
      runs,
    );
  });

  test('an entity that trembles on a border stays where it is: it must pass the margin', () => {
    const grid = new Grid({ kind: 'torus', width: 1000, height: 1000, cell: 100 });
    let cell = grid.cellAt(99, 50);
    for (const x of [100.5, 99.5, 101.9, 98.1, 100]) cell = grid.nextCell(cell, x, 50);
    expect(cell).toBe(0);
    expect(grid.nextCell(0, 102.1, 50)).toBe(1);
    expect(grid.nextCell(1, 98.1, 50)).toBe(1);
    expect(grid.nextCell(1, 97.9, 50)).toBe(0);
    expect(grid.nextCell(0, 997.9, 50)).toBe(9);
    expect(grid.nextCell(0, -1.9, 50)).toBe(0);
    expect(grid.nextCell(0, -2.1, -2.1)).toBe(99);
  });

  test('an entity crosses the antimeridian to the next cell, not round the world', () => {
    const grid = new Grid({ kind: 'wgs84', cell: 5 });
    const east = grid.cellAt(179, 1);
    expect(grid.nextCell(east, -179.5, 1)).toBe(grid.cellAt(-179, 1));
    expect(grid.nextCell(east, 180.05, 1)).toBe(east);
    expect(grid.nextCell(east, 180.15, 1)).toBe(grid.cellAt(-179, 1));
  });

  test('an entity beyond the edge of a plane stays in the border cell', () => {
    const grid = new Grid({ kind: 'plane', width: 1000, height: 700, cell: 100 });
    expect(grid.nextCell(9, 5_000, -5_000)).toBe(9);
    expect(grid.nextCell(0, 5_000, 50)).toBe(1);
  });
});

describe('distances', () => {
  test('are symmetric and never longer than half the way round', () => {
    fc.assert(
      fc.property(anyPlace, anyOffset, anyOffset, ({ grid, x, y }, across, up) => {
        const bx = grid.originX + across * grid.width;
        const by = grid.wrapY(grid.originY + up * grid.height);
        const there = grid.distance(x, grid.wrapY(y), bx, by);
        expect(grid.distance(bx, by, x, grid.wrapY(y))).toBeCloseTo(there, 6);
        // The way round is rounded once more than the half of it.
        const half = 0.5 + 1e-12;
        if (grid.wrapsX) expect(Math.abs(grid.deltaX(x, bx)) / grid.width).toBeLessThan(half);
        if (grid.wrapsY) expect(Math.abs(grid.deltaY(y, by)) / grid.height).toBeLessThan(half);
      }),
      runs,
    );
  });

  test('a delta leads from one point to the other', () => {
    fc.assert(
      fc.property(anyPlace, anyOffset, ({ grid, x }, across) => {
        const from = grid.wrapX(x);
        const to = grid.wrapX(grid.originX + across * grid.width);
        const reached = grid.wrapX(from + grid.deltaX(from, to));
        const off = Math.abs(grid.deltaX(reached, to));
        expect(off).toBeLessThan(grid.width * 1e-12);
      }),
      runs,
    );
  });

  test('go the short way over the seams', () => {
    const torus = new Grid({ kind: 'torus', width: 1000, height: 300, cell: 100 });
    expect(torus.deltaX(990, 10)).toBe(20);
    expect(torus.deltaX(10, 990)).toBe(-20);
    expect(torus.distance(990, 0, 10, 0)).toBe(20);
    const globe = new Grid({ kind: 'wgs84', cell: 5 });
    expect(globe.deltaX(179, -179)).toBe(2);
    expect(globe.distance(179, 0, -179, 0)).toBeCloseTo(222_390, -1);
    const plane = new Grid({ kind: 'plane', width: 1000, height: 300, cell: 100 });
    expect(plane.distance(990, 0, 10, 0)).toBe(980);
  });

  test('wrapping is idempotent, and lands inside', () => {
    fc.assert(
      fc.property(anyPlace, ({ grid, x, y }) => {
        const [wx, wy] = [grid.wrapX(x), grid.wrapY(y)];
        expect([grid.wrapX(wx), grid.wrapY(wy)]).toEqual([wx, wy]);
        expect(wx).toBeGreaterThanOrEqual(grid.originX);
        expect(wy).toBeGreaterThanOrEqual(grid.originY);
        if (grid.wrapsX) expect(wx).toBeLessThan(grid.originX + grid.width);
        if (grid.wrapsY) expect(wy).toBeLessThan(grid.originY + grid.height);
      }),
      runs,
    );
  });

  test('whoever is within the largest radius is held by the cell or a neighbour', () => {
    fc.assert(
      fc.property(
        anyCell,
        fc.tuple(
          fc.double({ min: -1, max: 1, noNaN: true }),
          fc.double({ min: -1, max: 1, noNaN: true }),
        ),
        fc.double({ min: 0, max: 360, noNaN: true }),
        fc.double({ min: 0, max: 0.9999, noNaN: true }),
        ({ grid, cell }, [right, up], bearing, share) => {
          const lean = grid.cellSize * (0.5 + grid.margin * 0.999);
          const x = grid.centreX(cell) + right * lean;
          const y = grid.wrapY(grid.centreY(cell) + up * lean);
          if (grid.spec.kind === 'wgs84' && Math.abs(y) > 85.05) return;
          const [bx, by] = beyond(grid, x, y, bearing, share * grid.radiusMax());
          // The other stands as far outside its own cell as it may: try every cell that may hold
          // it.
          for (let holder = 0, home = grid.cellAt(bx, by); holder < 9; holder++) {
            const held = [home, ...grid.neighbours(home)][holder];
            if (held === undefined || grid.nextCell(held, bx, by) !== held) continue;
            expect([cell, ...grid.neighbours(cell)]).toContain(held);
          }
        },
      ),
      runs,
    );
  });
});

function beyond(grid: Grid, x: number, y: number, bearing: number, by: number): [number, number] {
  const angle = (bearing * Math.PI) / 180;
  if (grid.spec.kind !== 'wgs84') {
    return [grid.wrapX(x + by * Math.sin(angle)), grid.wrapY(y + by * Math.cos(angle))];
  }
  const out: [number, number] = [0, 0];
  greatCircleDestination(x, y, bearing, by, out);
  return out;
}

describe('spaces that cannot be', () => {
  const faulty: [string, SpaceSpec, string, string][] = [
    ['cell 0', { kind: 'plane', width: 10, height: 10, cell: 0 }, 'space.cell', '0'],
    ['a negative cell', { kind: 'torus', width: 10, height: 10, cell: -1 }, 'space.cell', '-1'],
    ['cell NaN', { kind: 'wgs84', cell: Number.NaN }, 'space.cell', 'NaN'],
    ['width 0', { kind: 'plane', width: 0, height: 10, cell: 1 }, 'space.width', '0'],
    ['no height', { kind: 'plane', width: 5, cell: 1 } as never, 'space.height', 'undefined'],
    [
      'endless width',
      { kind: 'plane', width: Infinity, height: 1, cell: 1 },
      'space.width',
      'Infinity',
    ],
    [
      'a torus of 2.5 cells',
      { kind: 'torus', width: 250, height: 300, cell: 100 },
      'space.width',
      '250',
    ],
    [
      'a torus of 2 cells',
      { kind: 'torus', width: 300, height: 200, cell: 100 },
      'space.height',
      '200',
    ],
    ['a globe in cells of 7°', { kind: 'wgs84', cell: 7 }, 'space.cell', '7'],
    ['a globe in cells of 90°', { kind: 'wgs84', cell: 90 }, 'space.cell', '90'],
    [
      '2^20 cells and more',
      { kind: 'plane', width: 1025, height: 1024, cell: 1 },
      'space.cell',
      '1',
    ],
    ['an unknown kind', { kind: 'cube', cell: 1 } as never, 'space.kind', 'cube'],
  ];
  test.each(faulty)('%s is refused, with field, value and remedy', (_, spec, field, value) => {
    try {
      new Grid(spec);
      expect.unreachable();
    } catch (error) {
      expect(hasCode(error, 'SPACE_INVALID')).toBe(true);
      const { detail, message } = error as LeaseholdError;
      expect(detail).toMatchObject({ field, value });
      expect(detail.remedy).toMatch(/^Use /);
      expect(message).toContain(field);
    }
  });

  test('the cell size that a refusal proposes is accepted', () => {
    for (const spec of [
      { kind: 'plane', width: 123_456, height: 98_765, cell: 1 },
      { kind: 'wgs84', cell: 7 },
      { kind: 'wgs84', cell: 100 },
      { kind: 'torus', width: 250, height: 300, cell: 100 },
    ] as SpaceSpec[]) {
      try {
        new Grid(spec);
        expect.unreachable();
      } catch (error) {
        const { field, remedy } = (error as LeaseholdError).detail;
        const proposed = Number(/([\d.]+)\.$/.exec(remedy)?.[1]);
        expect(() => new Grid({ ...spec, [field.slice(6)]: proposed })).not.toThrow();
      }
    }
  });

  test('exactly 2^20 cells are accepted', () => {
    expect(new Grid({ kind: 'plane', width: 1024, height: 1024, cell: 1 }).cells).toBe(2 ** 20);
    expect(new Grid({ kind: 'wgs84', cell: 0.25 }).cells).toBe(1440 * 720);
  });

  test('a block and a margin out of range are refused', () => {
    const spec: SpaceSpec = { kind: 'plane', width: 10, height: 10, cell: 1 };
    for (const blockCells of [0, 17, 2.5, Number.NaN]) {
      expect(() => new Grid(spec, { blockCells })).toThrow(/^blockCells/);
    }
    for (const margin of [-0.1, 0.3, Number.NaN]) {
      expect(() => new Grid(spec, { margin })).toThrow(/^margin/);
    }
  });
});
