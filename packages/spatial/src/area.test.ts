import { LeaseholdError } from '@leasehold/kernel';
import { describe, expect, test } from 'vitest';
import {
  AreaShape,
  type AreaSpec,
  cellDistanceMax,
  cellDistanceMin,
  circleRadiusMax,
  Grid,
  POLYGON_POINTS_MAX,
} from './index.ts';

const plane = new Grid({ kind: 'plane', width: 1000, height: 700, cell: 100 });
const torus = new Grid({ kind: 'torus', width: 1000, height: 600, cell: 100 });
const globe = new Grid({ kind: 'wgs84', cell: 5 });

type Points = [number, number][];

const shape = (grid: Grid, spec: AreaSpec): AreaShape => new AreaShape(grid, spec);
const box = (minX: number, minY: number, maxX: number, maxY: number): AreaSpec => ({
  kind: 'box',
  minX,
  minY,
  maxX,
  maxY,
});
const circle = (x: number, y: number, radius: number): AreaSpec => ({
  kind: 'circle',
  x,
  y,
  radius,
});
const polygon = (...points: Points): AreaSpec => ({ kind: 'polygon', points });
const triangle = (x: number, y: number, size: number): Points => [
  [x, y],
  [x + size, y],
  [x, y + size],
];
const wholeOf = (area: AreaShape): number[] => [...area.cells].filter((c) => area.isWhole(c));

describe('the world', () => {
  test('holds every cell, whole, and every point', () => {
    const area = shape(plane, { kind: 'world' });
    expect([...area.cells]).toEqual(Array.from({ length: plane.cells }, (_, cell) => cell));
    expect(wholeOf(area)).toHaveLength(plane.cells);
    expect(area.contains(-5, 1e9)).toBe(true);
    expect(area.isWhole(plane.cells)).toBe(false);
    expect(area.isWhole(-1)).toBe(false);
  });
});

describe('a box', () => {
  test('owns its borders, and a point outside a plane counts as being at its border', () => {
    const area = shape(plane, box(0, 100, 200, 700));
    for (const [x, y] of [
      [0, 100],
      [200, 700],
      [-50, 400],
      [100, 1e9],
    ] as const) {
      expect(area.contains(x, y), `${x}, ${y}`).toBe(true);
    }
    expect(area.contains(200.001, 400)).toBe(false);
    expect(area.contains(100, 99.999)).toBe(false);
    expect(area.contains(Number.NaN, 400)).toBe(false);
    expect(area.contains(100, Number.NaN)).toBe(false);
  });

  test('has the cell beside it too, whose entities may stand a margin outside', () => {
    // The margin is 2: what stands at 100 … 102 may still be in the cells below 100.
    expect([...shape(plane, box(101, 150, 103, 160)).cells]).toEqual([10, 11]);
    expect([...shape(plane, box(103, 150, 104, 160)).cells]).toEqual([11]);
    expect([...shape(plane, box(199, 150, 199, 150)).cells]).toEqual([11, 12]);
  });

  test('a cell is whole only when its margin lies inside as well, if there is anything there', () => {
    expect(wholeOf(shape(plane, box(100, 100, 300, 300)))).toEqual([]);
    expect(wholeOf(shape(plane, box(97, 97, 203, 203)))).toEqual([11]);
    // Outside the plane there is nothing.
    expect(wholeOf(shape(plane, box(0, 0, 103, 103)))).toEqual([0]);
    expect(wholeOf(shape(plane, box(0, 0, 1000, 700)))).toHaveLength(plane.cells);
  });

  test('reaches through the seam when its minimum is above its maximum, or its maximum beyond', () => {
    for (const area of [shape(globe, box(170, 0, -170, 4)), shape(globe, box(170, 0, 190, 4))]) {
      const columns = new Set([...area.cells].map((cell) => globe.columnOf(cell)));
      expect([...columns].sort((a, b) => a - b)).toEqual([0, 1, 2, 69, 70, 71]);
      expect(area.contains(-180, 2)).toBe(true);
      expect(area.contains(180, 2)).toBe(true);
      expect(area.contains(-169.99, 2)).toBe(false);
      expect(area.contains(0, 2)).toBe(false);
    }
    const corner = shape(torus, box(990, 590, 10, 10));
    expect([...corner.cells]).toEqual([0, 9, 50, 59]);
    expect(corner.contains(1005, -5)).toBe(true);
    expect(corner.contains(500, 5)).toBe(false);
  });

  test('that ends at the seam ends on this side of it, but has the cells beyond as neighbours', () => {
    const area = shape(globe, box(170, 1, 180, 2));
    expect(area.contains(-180, 1.5)).toBe(false);
    expect(area.contains(179.99, 1.5)).toBe(true);
    const at = (x: number): number => globe.cellAt(x, 1.5);
    expect([...area.cells]).toEqual([at(-178), at(168), at(172), at(178)]);
  });

  test('of more than one turn, or beyond the poles, is all there is', () => {
    const area = shape(globe, box(-500, -95, 500, 95));
    expect(wholeOf(area)).toHaveLength(globe.cells);
    expect(area.contains(123, -90)).toBe(true);
  });

  test('beside a plane has no cells and no points', () => {
    const area = shape(plane, box(1100, 0, 1200, 700));
    expect(area.cells).toHaveLength(0);
    expect(area.contains(1150, 100)).toBe(false);
  });
});

describe('a circle', () => {
  test('owns its border, by the distance of the space', () => {
    const area = shape(plane, circle(500, 300, 50));
    expect(area.contains(550, 300)).toBe(true);
    expect(area.contains(530, 340)).toBe(true);
    expect(area.contains(550.001, 300)).toBe(false);
    expect(area.contains(540, 340)).toBe(false);
    expect(area.contains(Number.NaN, 300)).toBe(false);
  });

  test('leaves out cells that only the box around it touches', () => {
    const cells = [...shape(plane, circle(550, 350, 65)).cells];
    expect(cells).toEqual([25, 34, 35, 36, 45]);
  });

  test('reaches round a torus on both axes', () => {
    const area = shape(torus, circle(0, 0, 30));
    expect([...area.cells]).toEqual([0, 9, 50, 59]);
    expect(area.contains(990, 590)).toBe(true);
    expect(area.contains(980, 570)).toBe(false);
    expect(wholeOf(shape(torus, circle(0, 0, circleRadiusMax(torus))))).toHaveLength(
      torus.cells - 4,
    );
  });

  test('on the globe holds metres: over the seam, and all round a pole', () => {
    const seam = shape(globe, circle(179.9, 10, 50_000));
    expect(seam.contains(-179.8, 10)).toBe(true);
    expect(seam.contains(-179.5, 10)).toBe(false);
    expect(seam.cells).toContain(globe.cellAt(-179, 11));

    const pole = shape(globe, circle(30, 89, 300_000));
    expect(pole.contains(-150, 88.4)).toBe(true);
    expect(pole.contains(-150, 88.2)).toBe(false);
    for (let x = -178; x < 180; x += 5) expect(pole.cells).toContain(globe.cellAt(x, 89));
    expect(wholeOf(shape(globe, circle(0, 90, 1_200_000)))).toHaveLength(2 * globe.columns);
  });

  test('on the globe with the largest radius holds everybody', () => {
    const area = shape(globe, circle(8, 50, circleRadiusMax(globe)));
    expect(area.cells).toHaveLength(globe.cells);
    expect(area.contains(-172, -50)).toBe(true);
  });

  test('is centred within the space, wherever its centre was written', () => {
    expect(shape(plane, circle(-500, 300, 10)).contains(0, 300)).toBe(true);
    expect(shape(plane, circle(-500, 300, 10)).contains(-500, 300)).toBe(true);
    expect(shape(globe, circle(365, 10, 1000)).contains(5, 10)).toBe(true);
  });
});

test('a cell that the antipode lies in reaches half the way round, its own cell begins at 0', () => {
  const cell = globe.cellAt(-172, -48);
  expect(cellDistanceMax(globe, cell, 8, 48)).toBeCloseTo(circleRadiusMax(globe), 3);
  expect(cellDistanceMax(globe, globe.cellAt(-172, -58), 8, 48)).toBeLessThan(1.95e7);
  expect(cellDistanceMin(globe, globe.cellAt(8, 48), 8, 48)).toBe(0);
});

describe('a polygon', () => {
  test('owns its corners and sides', () => {
    const area = shape(plane, polygon([100, 100], [300, 100], [200, 300]));
    for (const [x, y] of [
      [100, 100],
      [200, 300],
      [200, 100],
      [150, 200],
      [200, 200],
    ] as const) {
      expect(area.contains(x, y), `${x}, ${y}`).toBe(true);
    }
    expect(area.contains(149, 200)).toBe(false);
    expect(area.contains(99, 100)).toBe(false);
    expect(area.contains(301, 100)).toBe(false);
    expect(area.contains(200, Number.NaN)).toBe(false);
  });

  test('does not own what is only level with a side', () => {
    const area = shape(
      plane,
      polygon(
        [0, 0],
        [300, 0],
        [300, 300],
        [200, 300],
        [200, 100],
        [100, 100],
        [100, 300],
        [0, 300],
      ),
    );
    expect(area.contains(150, 300)).toBe(false);
    expect(area.contains(150, 100)).toBe(true);
    expect(area.contains(250, 300)).toBe(true);
  });

  test('is the same open or closed, and with points repeated', () => {
    const open = polygon([100, 100], [300, 100], [200, 300]);
    const closed = polygon([100, 100], [100, 100], [300, 100], [200, 300], [100, 100]);
    expect([...shape(plane, closed).cells]).toEqual([...shape(plane, open).cells]);
  });

  test('has cells cut by its border, cells whole inside, and none in its bays', () => {
    const area = shape(
      plane,
      polygon([50, 50], [850, 50], [850, 650], [750, 650], [750, 150], [150, 150], [50, 650]),
    );
    expect(area.cells).not.toContain(plane.cellAt(450, 450));
    expect(wholeOf(area)).toEqual([]);
    const large = shape(plane, polygon([50, 50], [650, 50], [650, 650], [50, 650]));
    expect(wholeOf(large)).toHaveLength(25);
    expect(large.isWhole(plane.cellAt(250, 250))).toBe(true);
    expect(large.isWhole(plane.cellAt(50, 250))).toBe(false);
  });

  test('takes the short way over the seam, wherever it is written', () => {
    for (const turn of [-360, 0, 360]) {
      const area = shape(
        globe,
        polygon([170 + turn, 1], [-170 + turn, 1], [-170 + turn, 9], [170 + turn, 9]),
      );
      expect(area.contains(179, 5)).toBe(true);
      expect(area.contains(-179, 5)).toBe(true);
      expect(area.contains(-170, 5)).toBe(true);
      expect(area.contains(0, 5)).toBe(false);
      expect(area.cells).toContain(globe.cellAt(-179, 5));
      expect(area.cells).not.toContain(globe.cellAt(0, 5));
    }
    const corner = shape(torus, polygon([950, 550], [50, 550], [50, 50], [950, 50]));
    expect(corner.contains(0, 0)).toBe(true);
    expect(corner.contains(999, 10)).toBe(true);
    expect(corner.contains(500, 300)).toBe(false);
    expect([...corner.cells]).toEqual([0, 9, 50, 59]);
  });

  test('may be a belt of one whole turn, drawn with points in between', () => {
    const south = [-180, -60, 60, 180].map((x): [number, number] => [x, 1]);
    const north = [180, 60, -60, -180].map((x): [number, number] => [x, 14]);
    const area = shape(globe, polygon(...south, ...north));
    for (const x of [-180, -179, -60, 0, 179]) expect(area.contains(x, 7), `${x}`).toBe(true);
    expect(area.contains(0, 15)).toBe(false);
    expect(wholeOf(area).length).toBeGreaterThanOrEqual(globe.columns - 2);
  });

  describe('with holes', () => {
    const square = (min: number, max: number): Points => [
      [min, min],
      [max, min],
      [max, max],
      [min, max],
    ];
    const holed = (points: Points, ...holes: Points[]): AreaSpec => {
      return { kind: 'polygon', points, holes };
    };

    test('holds neither what is inside of one nor its cells, and owns its border', () => {
      const area = shape(plane, holed(square(50, 650), square(150, 450), square(500, 530)));
      for (const [x, y] of [
        [50, 50],
        [149, 300],
        [150, 300],
        [450, 450],
        [500, 510],
        [475, 475],
      ] as const) {
        expect(area.contains(x, y), `${x}, ${y}`).toBe(true);
      }
      expect(area.contains(151, 300)).toBe(false);
      expect(area.contains(449, 449)).toBe(false);
      expect(area.contains(515, 515)).toBe(false);
      expect(area.contains(Number.NaN, 60)).toBe(false);
      expect(area.cells).not.toContain(plane.cellAt(250, 250));
      expect(area.touches(plane.cellAt(420, 420))).toBe(true);
      // A hole within one cell leaves it no whole one.
      expect(area.isWhole(plane.cellAt(515, 515))).toBe(false);
      expect(area.isWhole(plane.cellAt(515, 250))).toBe(true);
    });

    test('is the same whichever way round a hole is drawn, closed or open', () => {
      const open = shape(plane, holed(square(50, 650), square(150, 450)));
      const turned = square(150, 450).reverse();
      const closed = shape(plane, holed(square(50, 650), [...turned, [150, 450]]));
      expect([...closed.cells]).toEqual([...open.cells]);
      expect(closed.contains(300, 300)).toBe(false);
    });

    test('has them beyond the seam too, wherever they are written', () => {
      for (const turn of [-360, 0, 360]) {
        const area = shape(
          globe,
          holed(
            [
              [170, 1],
              [-170, 1],
              [-170, 9],
              [170, 9],
            ],
            [
              [-178 + turn, 3],
              [-174 + turn, 3],
              [-174 + turn, 7],
              [-178 + turn, 7],
            ],
          ),
        );
        expect(area.contains(-176, 5)).toBe(false);
        expect(area.contains(184, 5)).toBe(false);
        expect(area.contains(-179, 5)).toBe(true);
        expect(area.contains(-172, 5)).toBe(true);
        expect(area.contains(176, 5)).toBe(true);
      }
    });
  });

  test('larger than the plane holds all of it', () => {
    const area = shape(plane, polygon([-1e6, -1e6], [1e6, -1e6], [1e6, 1e6], [-1e6, 1e6]));
    expect(wholeOf(area)).toHaveLength(plane.cells);
  });
});

describe('AREA_INVALID names the field, what it was and the way out', () => {
  const many = Array.from({ length: POLYGON_POINTS_MAX + 1 }, (_, i): [number, number] => {
    const angle = (i / (POLYGON_POINTS_MAX + 1)) * 2 * Math.PI;
    return [500 + 90 * Math.cos(angle), 300 + 90 * Math.sin(angle)];
  });
  const pole = Array.from({ length: 8 }, (_, i): [number, number] => [i * 45 - 180, 80]);
  const two = polygon([1, 1], [9, 9]);
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
  /** Holes, each of its corners, in a triangle. */
  const holed = (...holes: unknown[]) => ({ ...polygon([0, 0], [90, 0], [0, 90]), holes });
  const small = triangle(10, 10, 5);

  test.each<[string, Grid, unknown, string, string]>([
    ['an unknown kind', plane, { kind: 'blob' }, 'area.kind', 'blob'],
    ['a box of NaN', plane, box(0, nan, 1, 1), 'area.minY', 'NaN'],
    ['an infinite box', globe, box(0, 0, infinity, 1), 'area.maxX', 'Infinity'],
    ['a box without a side', plane, { kind: 'box', minX: 0 }, 'area.minY', 'undefined'],
    ['a box of text', plane, { ...box(0, 0, 1, 1), maxY: '1' }, 'area.maxY', '1'],
    ['a box inside out', plane, box(9, 0, 1, 1), 'area.minX', '9'],
    ['a box upside down on the globe', globe, box(0, 9, 1, 1), 'area.minY', '9'],
    ['a centre of NaN', plane, circle(nan, 0, 1), 'area.x', 'NaN'],
    ['an infinite centre', plane, circle(0, -infinity, 1), 'area.y', '-Infinity'],
    ['a radius of 0', plane, circle(0, 0, 0), 'area.radius', '0'],
    ['a negative radius', plane, circle(0, 0, -3), 'area.radius', '-3'],
    ['a radius of NaN', plane, circle(0, 0, nan), 'area.radius', 'NaN'],
    ['an infinite radius', plane, circle(0, 0, infinity), 'area.radius', 'Infinity'],
    ['a radius beyond half a plane', plane, circle(0, 0, 611), 'area.radius', '611'],
    ['a radius beyond half the earth', globe, circle(0, 0, 2.1e7), 'area.radius', '21000000'],
    ['no points', plane, { kind: 'polygon' }, 'area.points', 'undefined'],
    ['two points', plane, two, 'area.points', '2'],
    ['two points, closed', plane, polygon([1, 1], [9, 9], [1, 1]), 'area.points', '2'],
    ['too many points', plane, polygon(...many), 'area.points', '129'],
    ['far too many', plane, polygon(...many, ...many), 'area.points', '258'],
    ['a point of NaN', plane, polygon([1, 1], [9, nan], [0, 5]), 'area.points[1]', 'NaN'],
    ['half a point', plane, { kind: 'polygon', points: [[1, 1], [2]] }, 'area.points[1]', '[2]'],
    ['a far point', plane, polygon([1, 1], [2, 1], [3, 1e300]), 'area.points[2]', '[3, 1e+300]'],
    ['points on one line', plane, polygon([1, 1], [2, 2], [3, 3]), 'area.points', '3'],
    ['a bow tie', plane, polygon([0, 0], [9, 9], [9, 0], [0, 8]), 'area.points', '(4.235'],
    ['a spike', plane, polygon([0, 0], [9, 0], [5, 0], [5, 5]), 'area.points', '(5, 0)'],
    ['holes that are no list', plane, { ...holed(), holes: 1 }, 'area.holes', '1'],
    ['a hole of two points', plane, holed(small.slice(1)), 'area.holes[0]', '2'],
    ['a hole of NaN', plane, holed(small, [[1, nan]]), 'area.holes[1][0]', 'NaN'],
    ['a hole on a line', plane, holed([...small.slice(1), [20, 5]]), 'area.holes[0]', '3'],
    ['a hole across', plane, holed(small, triangle(-1, 30, 9)), 'area.holes[1]', '(0, 30'],
    ['a hole that touches', plane, holed(triangle(0, 30, 9)), 'area.holes[0]', '(0, 3'],
    ['a hole outside', plane, holed(triangle(60, 60, 9)), 'area.holes[0]', '(60, 60)'],
    ['a hole around', plane, holed(triangle(-9, -9, 300)), 'area.holes[0]', '(-9, -9)'],
    ['holes that cross', plane, holed(small, triangle(9, 11, 9)), 'area.holes[1]', '(14, 11)'],
    ['a hole twice', plane, holed(small, small), 'area.holes[1]', '(1'],
    ['a hole in a hole', plane, holed(small, triangle(11, 11, 1)), 'area.holes[1]', '(11, 11)'],
    ['a hole about a hole', plane, holed(small, triangle(9, 9, 20)), 'area.holes[1]', '(10, 10)'],
    [
      'too many points in all',
      plane,
      holed(...Array.from({ length: 42 }, (_, i) => triangle(1, 1 + i, 0.5))),
      'area.holes',
      '129',
    ],
    ['a way round the pole', globe, polygon(...pole), 'area.points', '8'],
    [
      'more than a turn',
      globe,
      polygon([-180, 0], [-60, 0], [60, 0], [180, 0], [190, 9], [60, 9], [-60, 9]),
      'area.points',
      '7',
    ],
  ])('%s', (_, grid, spec, field, value) => {
    const fault = faultOf(() => shape(grid, spec as AreaSpec));
    expect(fault.code).toBe('AREA_INVALID');
    expect(fault.detail).toMatchObject({ field });
    expect(fault.detail['value']).toMatch(value.startsWith('(') ? /^\(/ : value);
    if (value.startsWith('(')) expect(String(fault.detail['value'])).toContain(value);
    expect(fault.message.startsWith(`${field}: `)).toBe(true);
    expect(String(fault.detail['remedy']).length).toBeGreaterThan(10);
  });

  test('what is shown of a value is short', () => {
    const fault = faultOf(() => shape(plane, { kind: 'x'.repeat(10_000) } as unknown as AreaSpec));
    expect(fault.message.length).toBeLessThan(200);
  });
});

function faultOf(run: () => unknown): LeaseholdError {
  try {
    run();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
