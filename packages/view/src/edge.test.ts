/**
 * Goal: bounds say of every place what the area itself says. Method: boxes and circles on every kind
 * of space, places in the cell, around it, on borders and beyond the seam.
 */
import { AreaShape, type AreaSpec, Grid } from '@leasehold/spatial';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Edge } from './edge.ts';

const grids = [
  new Grid({ kind: 'plane', width: 60, height: 40, cell: 10 }),
  new Grid({ kind: 'torus', width: 60, height: 40, cell: 10 }),
  new Grid({ kind: 'torus', width: 0.7, height: 0.9, cell: 0.1 }),
  new Grid({ kind: 'wgs84', cell: 30 }),
];
const isIn = (edge: Edge, x: number, y: number): boolean =>
  (x >= edge.minX && x <= edge.maxX && y >= edge.minY && y <= edge.maxY) ||
  (!edge.isOut(x, y) && edge.contains(x, y));
const part = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  // On the borders of cells and of the space.
  fc.integer({ min: 0, max: 20 }).map((i) => i / 20),
);
const offset = fc.double({ min: -1.5, max: 2.5, noNaN: true });

test('V2 an edge lets in exactly who is in the area', () => {
  let swift = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...grids),
      fc.tuple(part, part, part, part),
      fc.boolean(),
      fc.tuple(part, fc.array(fc.tuple(offset, offset), { minLength: 20, maxLength: 20 })),
      (grid, [a, b, c, d], isBox, [where, offsets]) => {
        const at = (x: number, y: number): [number, number] => [
          grid.originX + x * grid.width,
          grid.originY + y * grid.height,
        ];
        const [minX, minY] = at(a, b);
        const [maxX, maxY] = at(c, d);
        const box: AreaSpec = { kind: 'box', minX, minY, maxX, maxY };
        const circle: AreaSpec = { kind: 'circle', x: minX, y: minY, radius: grid.cellSize };
        let shape: AreaShape;
        try {
          shape = new AreaShape(grid, isBox ? box : circle);
        } catch {
          return;
        }
        const cell = Math.min(grid.cells - 1, Math.floor(where * grid.cells));
        const edge = new Edge(shape, grid, cell);
        for (const [dx, dy] of offsets) {
          const x = grid.minX(cell) + dx * grid.cellSize;
          const y = grid.minY(cell) + dy * grid.cellSize;
          if (edge.isOut(x, y)) swift++;
          expect(isIn(edge, x, y)).toBe(shape.contains(x, y));
        }
      },
    ),
    { numRuns: 3_000, seed: 7 },
  );
  expect(swift).toBeGreaterThan(1_500);
});

test('V2 nobody who goes less far than an edge says crosses it', () => {
  const torus = new Grid({ kind: 'torus', width: 60, height: 40, cell: 10 });
  const side = fc.tuple(part, part, part, part);
  const way = fc.double({ min: -1, max: 1, noNaN: true, maxExcluded: true, minExcluded: true });
  let gone = 0;
  fc.assert(
    fc.property(side, part, fc.tuple(offset, offset), way, way, (sides, where, [dx, dy], a, b) => {
      const [minX = 0, minY = 0, maxX = 0, maxY = 0] = sides.map((at, i) => {
        return at * (i % 2 === 0 ? torus.width : torus.height);
      });
      let shape: AreaShape;
      try {
        shape = new AreaShape(torus, { kind: 'box', minX, minY, maxX, maxY });
      } catch {
        return;
      }
      const cell = Math.min(torus.cells - 1, Math.floor(where * torus.cells));
      const edge = new Edge(shape, torus, cell);
      const [x, y] = [torus.minX(cell) + dx * 10, torus.minY(cell) + dy * 10];
      const slack = { x: 15, y: 15 };
      edge.narrow(x, y, slack);
      if (slack.x <= 0 || slack.y <= 0) return;
      gone++;
      const before = isIn(edge, x, y);
      expect(isIn(edge, x + a * slack.x, y + b * slack.y)).toBe(before);
    }),
    { numRuns: 5_000, seed: 11 },
  );
  expect(gone).toBeGreaterThan(1_000);
});
