/**
 * Goal: whoever looks at an area sees every entity in it and no other, whichever cell holds it.
 * Method: random areas on every kind of space against entities around them; polygons against turf
 * on the unrolled plane.
 */
import { booleanContains } from '@turf/boolean-contains';
import { booleanIntersects } from '@turf/boolean-intersects';
import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import { polygon as turfPolygon } from '@turf/helpers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AreaShape,
  type AreaSpec,
  boxContains,
  cellDistanceMax,
  cellDistanceMin,
  circleRadiusMax,
  Grid,
  type SpaceSpec,
} from './index.ts';

const spaces: SpaceSpec[] = [
  { kind: 'plane', width: 1000, height: 700, cell: 100 },
  { kind: 'plane', width: 950, height: 33, cell: 100 },
  { kind: 'torus', width: 1000, height: 300, cell: 100 },
  { kind: 'torus', width: 0.7, height: 0.9, cell: 0.1 },
  { kind: 'wgs84', cell: 5 },
  { kind: 'wgs84', cell: 60 },
];
const grids = [
  ...spaces.map((spec) => new Grid(spec)),
  ...spaces.slice(0, 5).map((spec) => new Grid(spec, { margin: 0 })),
  ...spaces.map((spec) => new Grid(spec, { margin: 0.25 })),
];

const part = fc.double({ min: 0, max: 1, noNaN: true });
const anyOffset = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  { weight: 2, arbitrary: fc.double({ min: -1, max: 2, noNaN: true }) },
  // On the borders of cells and of the space.
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20 }).map((i) => i / 20) },
);

type Points = [number, number][];

/** A star of corners around a centre: never crosses itself, may reach through seams and edges. */
const anyStar = fc
  .record({
    x: anyOffset,
    y: anyOffset,
    // A side is at most twice as long: below half the space, so that the short way is as drawn.
    size: fc.double({ min: 0.01, max: 0.24, noNaN: true }),
    radii: fc.array(fc.double({ min: 0.2, max: 1, noNaN: true }), { minLength: 3, maxLength: 24 }),
  })
  .map(({ x, y, size, radii }) => ({
    x,
    y,
    corners: radii.map((radius, i): [number, number] => {
      const angle = (i / radii.length) * 2 * Math.PI;
      return [size * radius * Math.cos(angle), size * radius * Math.sin(angle)];
    }),
  }));

const at = (grid: Grid, across: number, up: number): [number, number] => [
  grid.originX + across * grid.width,
  grid.originY + up * grid.height,
];

/** Of a star the same, smaller and about the same centre, lies inside. */
const anyHoles = fc.oneof(
  fc.constant<number[]>([]),
  fc.double({ min: 0.05, max: 0.95, noNaN: true }).map((scale) => [scale]),
);

const anyStarOn = fc
  .record({ grid: fc.constantFrom(...grids), star: anyStar, scales: anyHoles })
  .map(({ grid, star, scales }) => {
    const ring = (scale: number): Points =>
      star.corners.map(([dx, dy]) => at(grid, star.x + dx * scale, star.y + dy * scale));
    return { grid, points: ring(1), holes: scales.map(ring) };
  });

const anyBoxOn = fc
  .record({ grid: fc.constantFrom(...grids), ax: anyOffset, ay: anyOffset, w: part, h: part })
  .map(({ grid, ax, ay, w, h }) => {
    const [minX, minY] = at(grid, ax, ay);
    const [maxX, maxY] = [minX + w * grid.width, minY + h * grid.height];
    return { grid, spec: { kind: 'box', minX, minY, maxX, maxY } satisfies AreaSpec };
  });

const anyCircleOn = fc
  .record({ grid: fc.constantFrom(...grids), ax: anyOffset, ay: anyOffset, size: part })
  .map(({ grid, ax, ay, size }) => {
    const [x, y] = at(grid, ax, ay);
    const radius = circleRadiusMax(grid) * (size * size * 0.999 + 0.001);
    return { grid, spec: { kind: 'circle', x, y, radius } satisfies AreaSpec };
  });

const anyArea = fc.oneof(
  anyBoxOn,
  anyCircleOn,
  anyStarOn.map(({ grid, ...rings }) => ({
    grid,
    spec: { kind: 'polygon', ...rings } as AreaSpec,
  })),
) as fc.Arbitrary<{ grid: Grid; spec: AreaSpec }>;

/** A cell, and where in the square of twice its size around it an entity stands. */
const anyEntity = fc.record({ cell: part, dx: anyOffset, dy: anyOffset });

function standing(grid: Grid, entity: { cell: number; dx: number; dy: number }) {
  const cell = Math.min(grid.cells - 1, Math.floor(entity.cell * grid.cells));
  const x = grid.centreX(cell) + (entity.dx - 0.5) * 1.3 * grid.cellSize;
  const y = grid.centreY(cell) + (entity.dy - 0.5) * 1.3 * grid.cellSize;
  return { cell, x, y };
}

/** The part of space where entities of a cell can be, as turf wants it, turned by whole turns. */
function squareOf(grid: Grid, cell: number, turnX: number, turnY: number) {
  const reach = grid.cellSize * (0.5 + grid.margin);
  const clip = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));
  const [cx, cy] = [grid.centreX(cell), grid.centreY(cell)];
  const xs = [cx - reach, cx + reach].map((x) =>
    grid.wrapsX ? x + turnX * grid.width : clip(x, 0, grid.width),
  );
  const ys = [cy - reach, cy + reach].map((y) =>
    grid.wrapsY ? y + turnY * grid.height : clip(y, grid.originY, grid.originY + grid.height),
  );
  const [left = 0, right = 0] = xs;
  const [low = 0, high = 0] = ys;
  return turfPolygon([
    [
      [left, low],
      [right, low],
      [right, high],
      [left, high],
      [left, low],
    ],
  ]);
}

function turnsOf(grid: Grid): [number, number][] {
  const across = grid.wrapsX ? [-2, -1, 0, 1, 2] : [0];
  const up = grid.wrapsY ? [-2, -1, 0, 1, 2] : [0];
  return across.flatMap((x) => up.map((y): [number, number] => [x, y]));
}

const turfOf = (points: Points, holes: readonly Points[]) =>
  turfPolygon([points, ...holes].map((ring) => [...ring, ring[0] as [number, number]]));

describe('an area', () => {
  test('misses no entity: whichever cell holds one that stands in it, the cell is of its cells', () => {
    let held = 0;
    fc.assert(
      fc.property(anyArea, fc.array(anyEntity, { minLength: 30 }), ({ grid, spec }, entities) => {
        const area = new AreaShape(grid, spec);
        for (const entity of entities) {
          const { cell, x, y } = standing(grid, entity);
          if (grid.nextCell(cell, x, y) !== cell) continue;
          const isInside = area.contains(x, y);
          if (isInside) expect(area.touches(cell), `${cell} (${x}, ${y})`).toBe(true);
          else expect(area.isWhole(cell), `${cell} (${x}, ${y})`).toBe(false);
          if (isInside && grid.cellAt(x, y) !== cell) held++;
        }
      }),
      { numRuns: 1_500 },
    );
    // The case that matters did occur: held by a neighbour.
    expect(held).toBeGreaterThan(100);
  });

  test('has cells ascending, each once', () => {
    fc.assert(
      fc.property(anyArea, ({ grid, spec }) => {
        const { cells } = new AreaShape(grid, spec);
        for (let i = 1; i < cells.length; i++) {
          expect(cells[i] as number).toBeGreaterThan(cells[i - 1] as number);
        }
        expect(cells.at(-1) ?? 0).toBeLessThan(grid.cells);
      }),
    );
  });

  test('answers for a point the same, whatever turn of the space it is written in', () => {
    fc.assert(
      fc.property(anyArea, part, part, ({ grid, spec }, across, up) => {
        const area = new AreaShape(grid, spec);
        const [x, y] = at(grid, across * 0.99, up * 0.99);
        const here = area.contains(grid.wrapX(x), grid.wrapY(y));
        const turnedX = grid.wrapX(grid.wrapsX ? x + grid.width : x);
        // Only where turning does not round.
        fc.pre(turnedX === x);
        expect(area.contains(grid.wrapsX ? x + grid.width : x, y)).toBe(here);
      }),
    );
  });
});

test('a box holds the points that spatial’s box holds', () => {
  fc.assert(
    fc.property(anyBoxOn, anyOffset, anyOffset, ({ grid, spec }, across, up) => {
      const [x, y] = at(grid, across, up);
      const [atX, atY] = [grid.wrapX(x), grid.wrapY(y)];
      expect(new AreaShape(grid, spec).contains(x, y)).toBe(boxContains(grid, spec, atX, atY));
    }),
    { numRuns: 2_000 },
  );
});

test('a cell’s distances bound those of everybody it may hold, and somebody comes near them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...grids),
      fc.array(anyEntity, { minLength: 30 }),
      anyOffset,
      anyOffset,
      (grid, entities, across, up) => {
        const [fromX, fromY] = at(grid, across, up).map((v, i) =>
          i === 0 ? grid.wrapX(v) : grid.wrapY(v),
        ) as [number, number];
        for (const entity of entities) {
          const { cell, x, y } = standing(grid, entity);
          if (grid.nextCell(cell, x, y) !== cell) continue;
          const away = grid.distance(fromX, fromY, grid.wrapX(x), grid.wrapY(y));
          const [least, most] = [
            cellDistanceMin(grid, cell, fromX, fromY),
            cellDistanceMax(grid, cell, fromX, fromY),
          ];
          expect(least).toBeLessThanOrEqual(away * (1 + 1e-9) + 1e-6);
          expect(most).toBeGreaterThanOrEqual(away * (1 - 1e-9) - 1e-6);
          expect(most).toBeGreaterThanOrEqual(least);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a cell’s distances are those of its nearest and farthest point, on a fine raster', () => {
  fc.assert(
    fc.property(fc.constantFrom(...grids), part, part, part, (grid, which, across, up) => {
      const cell = Math.min(grid.cells - 1, Math.floor(which * grid.cells));
      const [fromX, fromY] = at(grid, across * 0.999, up);
      const reach = grid.cellSize * (0.5 + grid.margin);
      const steps = 60;
      let [least, most] = [Number.POSITIVE_INFINITY, 0];
      for (let i = 0; i <= steps; i++) {
        for (let j = 0; j <= steps; j++) {
          const x = grid.wrapX(grid.centreX(cell) + ((2 * i) / steps - 1) * reach);
          const y = grid.wrapY(grid.centreY(cell) + ((2 * j) / steps - 1) * reach);
          const away = grid.distance(fromX, fromY, x, y);
          least = Math.min(least, away);
          most = Math.max(most, away);
        }
      }
      const unit = grid.spec.kind === 'wgs84' ? 111_320 : 1;
      const step = ((2 * reach) / steps) * unit * 1.5;
      expect(Math.abs(least - cellDistanceMin(grid, cell, fromX, fromY))).toBeLessThan(step);
      expect(Math.abs(most - cellDistanceMax(grid, cell, fromX, fromY))).toBeLessThan(step);
    }),
    { numRuns: 300 },
  );
});

describe('a polygon agrees with turf on the unrolled plane', () => {
  test('about points', () => {
    fc.assert(
      fc.property(
        anyStarOn,
        fc.array(anyEntity, { minLength: 20 }),
        ({ grid, points, holes }, entities) => {
          const area = new AreaShape(grid, { kind: 'polygon', points, holes });
          const ring = turfOf(points, holes);
          for (const entity of entities) {
            const [x, y] = at(grid, entity.dx, entity.dy);
            const [atX, atY] = [grid.wrapX(x), grid.wrapY(y)];
            const expected = turnsOf(grid).some(([turnX, turnY]) =>
              booleanPointInPolygon([atX + turnX * grid.width, atY + turnY * grid.height], ring),
            );
            expect(area.contains(x, y), `(${x}, ${y})`).toBe(expected);
          }
        },
      ),
      { numRuns: 800 },
    );
  });

  test('about the cells it touches and the cells it holds whole', () => {
    let whole = 0;
    fc.assert(
      fc.property(anyStarOn, fc.array(part, { minLength: 12 }), ({ grid, ...rings }, cells) => {
        const area = new AreaShape(grid, { kind: 'polygon', ...rings });
        const ring = turfOf(rings.points, rings.holes);
        const corners = rings.holes.flat();
        // Also those that are listed: a random cell is seldom one of a small polygon.
        const listed = cells.slice(0, 6).map((i) => area.cells[Math.floor(i * area.cells.length)]);
        const asked = [...cells.map((i) => Math.min(grid.cells - 1, Math.floor(i * grid.cells)))];
        const held = area.cells.filter((cell) => area.isWhole(cell)).slice(0, 6);
        for (const cell of [...asked, ...listed, ...held]) {
          if (cell === undefined) continue;
          const squares = turnsOf(grid).map(([x, y]) => squareOf(grid, cell, x, y));
          const isTouched = squares.some((square) => booleanIntersects(ring, square));
          // Turf looks at the sides of the square, and not for a hole within them.
          const isInside = squares.some(
            (square) =>
              booleanContains(ring, square) &&
              !corners.some((corner) => booleanPointInPolygon(corner, square)),
          );
          expect(area.touches(cell), `cell ${cell}`).toBe(isTouched);
          expect(area.isWhole(cell), `cell ${cell}`).toBe(isInside);
          if (isInside) whole++;
        }
      }),
      { numRuns: 250 },
    );
    expect(whole).toBeGreaterThan(5);
  });
});
