/**
 * Where the edge of an area cuts one cell. PERF: whoever is in the cell is asked for in each round;
 * where the area is a box, comparisons answer for nearly all, and only who stands beyond a seam is
 * asked for by the shape itself.
 */
import type { AreaShape, Grid } from '@leasehold/spatial';

/** Where entities of a cell stand, by coordinates that need no wrapping. */
type Span = { readonly min: number; readonly max: number };

const NOWHERE: Span = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };

export class Edge {
  /** A place within these is in the area. */
  readonly minX: number;
  readonly maxX: number;
  readonly minY: number;
  readonly maxY: number;
  readonly #spanX: Span;
  readonly #spanY: Span;
  readonly #shape: Pick<AreaShape, 'contains'>;

  constructor(shape: Pick<AreaShape, 'contains' | 'spec'>, grid: Grid, cell: number) {
    this.#shape = shape;
    const { spec } = shape;
    const { cellSize, originX, originY, width, height } = grid;
    const isBox = spec.kind === 'box' && spec.minX <= spec.maxX && spec.minY <= spec.maxY;
    const x = isBox ? within(spec.minX, spec.maxX, originX, originX + width) : NOWHERE;
    const y = isBox ? within(spec.minY, spec.maxY, originY, originY + height) : NOWHERE;
    const isPlain = x !== NOWHERE && y !== NOWHERE;
    this.#spanX = isPlain ? spanOf(grid.minX(cell), cellSize, originX, width) : NOWHERE;
    this.#spanY = isPlain ? spanOf(grid.minY(cell), cellSize, originY, height) : NOWHERE;
    this.minX = Math.max(x.min, this.#spanX.min);
    this.maxX = Math.min(x.max, this.#spanX.max);
    this.minY = Math.max(y.min, this.#spanY.min);
    this.maxY = Math.min(y.max, this.#spanY.max);
  }

  /** Whether a place that is not within the bounds is certainly outside the area. */
  isOut(x: number, y: number): boolean {
    const { min: minX, max: maxX } = this.#spanX;
    const { min: minY, max: maxY } = this.#spanY;
    return x >= minX && x <= maxX && y >= minY && y <= maxY;
  }

  contains(x: number, y: number): boolean {
    return this.#shape.contains(x, y);
  }
}

/** A side of a box that reaches through no seam, and does not touch one. */
function within(min: number, max: number, low: number, high: number): Span {
  return min > low && max < high ? { min, max } : NOWHERE;
}

/** The cell and one more to either side, as far as no coordinate there is wrapped or clamped. */
function spanOf(min: number, size: number, origin: number, extent: number): Span {
  const low = Math.max(min - size, origin);
  const high = Math.min(min + 2 * size, origin + extent);
  // The far border is the near one where the space wraps.
  return { min: low, max: high - extent * ROUNDING };
}

const ROUNDING = 1e-12;
