import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Box,
  boxContains,
  cellsOfBox,
  cellsOfRect,
  Grid,
  haloOf,
  rectContains,
  rectOfBox,
  splitBox,
  widenBox,
} from './index.ts';

const grids = [
  new Grid({ kind: 'plane', width: 1000, height: 700, cell: 100 }),
  new Grid({ kind: 'torus', width: 1000, height: 300, cell: 100 }),
  new Grid({ kind: 'wgs84', cell: 15 }),
];
const globe = grids[2] as Grid;
const anyFraction = fc.oneof(
  fc.double({ min: -1.5, max: 1.5, noNaN: true }),
  fc.constantFrom(-1, -0.5, 0, 0.1, 0.3, 0.5, 1),
);
const anyCase = fc
  .record({
    grid: fc.constantFrom(...grids),
    at: fc.tuple(anyFraction, anyFraction, anyFraction, anyFraction),
    point: fc.tuple(anyFraction, anyFraction),
  })
  .map(({ grid, at, point }) => {
    const x = (f: number) => grid.originX + f * grid.width;
    const y = (f: number) => grid.originY + f * grid.height;
    const [low, high] = at[1] <= at[3] ? [at[1], at[3]] : [at[3], at[1]];
    const [left, right] = grid.wrapsX || at[0] <= at[2] ? [at[0], at[2]] : [at[2], at[0]];
    const box: Box = { minX: x(left), minY: y(low), maxX: x(right), maxY: y(high) };
    return { grid, box, x: x(point[0]), y: grid.wrapsY ? y(point[1]) : grid.wrapY(y(point[1])) };
  });
const runs = { numRuns: 4_000 };

describe('boxes', () => {
  test('a point of a box is in one of the cells of the box', () => {
    fc.assert(
      fc.property(anyCase, ({ grid, box, x, y }) => {
        if (!boxContains(grid, box, x, y)) return;
        expect(cellsOfBox(grid, box)).toContain(grid.cellAt(x, y));
      }),
      runs,
    );
  });

  test('split at the seams, a box covers the same points, and no piece crosses', () => {
    fc.assert(
      fc.property(anyCase, ({ grid, box, x, y }) => {
        const pieces = splitBox(grid, box);
        const [wx, wy] = [grid.wrapX(x), grid.wrapY(y)];
        const isInPiece = pieces.some(
          (p) => wx >= p.minX && wx <= p.maxX && wy >= p.minY && wy <= p.maxY,
        );
        if (grid.wrapX(x) === x || grid.wrapsX) {
          expect(isInPiece).toBe(boxContains(grid, box, wx, wy));
        }
        for (const piece of pieces) {
          expect(piece.minX).toBeLessThanOrEqual(piece.maxX);
          if (grid.wrapsX) expect(piece.maxX).toBeLessThanOrEqual(grid.originX + grid.width);
        }
      }),
      runs,
    );
  });

  test('every cell of a box touches it', () => {
    fc.assert(
      fc.property(anyCase, ({ grid, box }) => {
        const all = cellsOfBox(grid, box);
        expect([...all]).toEqual([...new Set(all)].sort((a, b) => a - b));
        for (const cell of all) {
          const pieces = splitBox(grid, box).map((p) => ({
            minX: grid.wrapsX ? p.minX : grid.wrapX(p.minX),
            maxX: grid.wrapsX ? p.maxX : grid.wrapX(p.maxX),
            minY: grid.wrapsY ? p.minY : grid.wrapY(p.minY),
            maxY: grid.wrapsY ? p.maxY : grid.wrapY(p.maxY),
          }));
          const hair = grid.cellSize * 1e-9;
          const touches = pieces.some(
            (p) =>
              p.minX <= grid.minX(cell) + grid.cellSize + hair &&
              p.maxX >= grid.minX(cell) - hair &&
              p.minY <= grid.minY(cell) + grid.cellSize + hair &&
              p.maxY >= grid.minY(cell) - hair,
          );
          expect(touches).toBe(true);
        }
      }),
      runs,
    );
  });

  test('the antimeridian may be written either way', () => {
    const box = { minX: 170, minY: -10, maxX: -170, maxY: 10 };
    expect(splitBox(globe, box)).toEqual([
      { minX: 170, minY: -10, maxX: 180, maxY: 10 },
      { minX: -180, minY: -10, maxX: -170, maxY: 10 },
    ]);
    expect(splitBox(globe, { ...box, maxX: 190 })).toEqual(splitBox(globe, box));
    expect(splitBox(globe, { ...box, minX: -190, maxX: -170 })).toEqual(splitBox(globe, box));
    expect(boxContains(globe, box, 180, 0)).toBe(true);
    expect(boxContains(globe, box, -175, 0)).toBe(true);
    expect(boxContains(globe, box, 0, 0)).toBe(false);
    expect(rectOfBox(globe, box)).toEqual({ column: 23, row: 5, columns: 2, rows: 2 });
  });

  test('a box that ends at the seam takes no column beyond it', () => {
    const box = { minX: 170, minY: -10, maxX: 180, maxY: 10 };
    expect(splitBox(globe, box)).toEqual([box]);
    expect(rectOfBox(globe, box).columns).toBe(1);
    expect(boxContains(globe, box, -180, 0)).toBe(false);
  });

  test('a box as wide as the space or wider is the whole of it, once', () => {
    for (const minX of [-180, -500, 3]) {
      const box = { minX, minY: -90, maxX: minX + 360, maxY: 90 };
      expect(cellsOfBox(globe, box).length).toBe(globe.cells);
      expect(splitBox(globe, box).length).toBe(1);
    }
    const torus = grids[1] as Grid;
    const nearly = { minX: 50, minY: 0, maxX: 1040, maxY: 10 };
    expect(rectOfBox(torus, nearly).columns).toBe(10);
  });

  test('a widened box finds who stands in the margin of another cell', () => {
    const torus = grids[1] as Grid;
    const box = { minX: 0, minY: 10, maxX: 1, maxY: 20 };
    const wide = widenBox(torus, box, torus.margin * torus.cellSize);
    expect([...cellsOfBox(torus, wide)]).toEqual([0, 9]);
    expect([...cellsOfBox(torus, box)]).toEqual([0]);
  });

  test('a box that is none is refused by field', () => {
    const box = { minX: 0, minY: 0, maxX: 1, maxY: 1 };
    expect(() => splitBox(globe, { ...box, minX: Number.NaN })).toThrow(/^box.minX: NaN/);
    expect(() => splitBox(globe, { ...box, minY: 2 })).toThrow(/^box.minY: 2 is above box.maxY/);
  });
});

describe('rectangles of cells', () => {
  test('contain exactly the cells they list', () => {
    fc.assert(
      fc.property(anyCase, ({ grid, box }) => {
        const rect = rectOfBox(grid, box);
        const listed = new Set(cellsOfRect(grid, rect));
        for (let cell = 0; cell < grid.cells; cell++) {
          expect(rectContains(grid, rect, cell)).toBe(listed.has(cell));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('reach through both seams of a torus', () => {
    const torus = grids[1] as Grid;
    expect([...cellsOfRect(torus, { column: 9, row: 2, columns: 2, rows: 2 })]).toEqual([
      0, 9, 20, 29,
    ]);
  });
});

test('the halo of a region is its neighbours without itself', () => {
  const plane = grids[0] as Grid;
  expect([...haloOf(plane, [0, 1])]).toEqual([2, 10, 11, 12]);
  expect([...haloOf(globe, [0])]).toEqual([1, 23, 24, 25, 47]);
});
