/**
 * A polygon on the plane of coordinates: an outer ring, and holes in it whose borders are the
 * polygon's. A hole lies inside of the outer ring and outside of the others, and touches none.
 */
import { areaFault } from './area-fault.ts';
import type { Grid } from './grid.ts';
import { cornersOf, INSIDE, OUTSIDE, POLYGON_POINTS_MAX, Ring } from './ring.ts';

export class Polygon {
  readonly outer: Ring;
  readonly holes: readonly Ring[];
  readonly #grid: Grid;

  /** Throws `AREA_INVALID`. */
  constructor(grid: Grid, points: unknown, holes: unknown = []) {
    this.#grid = grid;
    const outer = cornersOf(grid, points, 'area.points');
    const inner = listOf(holes).map((hole, i) => cornersOf(grid, hole, fieldOf(i)));
    const count = [outer, ...inner].reduce((sum, { length }) => sum + length, 0);
    if (count > POLYGON_POINTS_MAX) {
      const remedy = `Use at most ${POLYGON_POINTS_MAX}, those of the outer ring among them.`;
      throw areaFault('area.holes', count, 'points of all rings are too many', remedy);
    }
    const { originX: fromX, originY: fromY } = grid;
    this.outer = new Ring(grid, { corners: outer, field: 'area.points', fromX, fromY });
    // Beside the outer ring, which may reach beyond the seam.
    const { minX, minY } = this.outer;
    this.holes = inner.map(
      (corners, i) => new Ring(grid, { corners, field: fieldOf(i), fromX: minX, fromY: minY }),
    );
    for (const [i, hole] of this.holes.entries()) this.#checkHole(hole, this.holes.slice(0, i));
  }

  /** Whether a point, wherever it is written, lies inside or on a border. Never for NaN. */
  contains(x: number, y: number): boolean {
    const grid = this.#grid;
    const atX = grid.wrapX(x);
    const atY = grid.wrapY(y);
    if (this.#holds(atX, atY)) return true;
    const isPastX = grid.wrapsX && this.#holds(atX + grid.width, atY);
    if (isPastX || !grid.wrapsY) return isPastX;
    if (this.#holds(atX, atY + grid.height)) return true;
    return grid.wrapsX && this.#holds(atX + grid.width, atY + grid.height);
  }

  /** PERF: allocates nothing. */
  #holds(x: number, y: number): boolean {
    if (this.outer.sideOf(x, y) === OUTSIDE) return false;
    for (let i = 0; i < this.holes.length; i++) {
      if ((this.holes[i] as Ring).sideOf(x, y) === INSIDE) return false;
    }
    return true;
  }

  /** Once no two borders meet, one corner tells which of them is in the other. */
  #checkHole(hole: Ring, others: readonly Ring[]): void {
    const { outer } = this;
    const refuse = (at: string, problem: string): never => {
      const remedy =
        'Draw holes inside of the outer ring, apart from it and from each other; ' +
        'one that touches it is a bay, and two that touch are one.';
      throw areaFault(hole.field, at, problem, remedy);
    };
    const crossing = outer.meeting(hole);
    if (crossing) refuse(crossing, 'is where the hole touches or crosses the outer ring');
    if (!isIn(outer, hole)) refuse(cornerOf(hole), 'is a corner outside of the outer ring');
    for (const other of others) {
      const meeting = other.meeting(hole);
      if (meeting) refuse(meeting, `is where the hole touches or crosses that of ${other.field}`);
      if (isIn(other, hole)) refuse(cornerOf(hole), `lies in the hole of ${other.field}, too`);
      if (isIn(hole, other)) refuse(cornerOf(other), `lies in the hole of ${other.field}, too`);
    }
  }
}

const fieldOf = (hole: number): string => `area.holes[${hole}]`;

function listOf(holes: unknown): readonly unknown[] {
  if (Array.isArray(holes)) return holes;
  throw areaFault('area.holes', holes, 'is no list of rings', 'Use [[[x, y], …], …].');
}

const isIn = (ring: Ring, { xs, ys }: Ring): boolean =>
  ring.sideOf(xs[0] as number, ys[0] as number) === INSIDE;

const cornerOf = ({ xs, ys }: Ring): string => `(${xs[0]}, ${ys[0]})`;
