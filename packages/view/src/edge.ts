/**
 * Where the edge of an area cuts one cell. PERF: whoever is in the cell is asked for in each round;
 * where the area is a box, comparisons answer for nearly all, and only who stands beyond a seam is
 * asked for by the shape itself.
 */
import type { AreaShape, Grid } from '@leasehold/spatial';

/** Where entities of a cell stand, by coordinates that need no wrapping. */
type Span = { readonly min: number; readonly max: number };

/** How far it is from there to either end; below zero beyond them, and nowhere. */
const roomIn = ({ min, max }: Span, at: number): number => Math.min(at - min, max - at);

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
    const spanX = spanOf(grid.minX(cell), cellSize, originX, width);
    const spanY = spanOf(grid.minY(cell), cellSize, originY, height);
    const isBox = spec.kind === 'box';
    const x = isBox ? sideIn(spec.minX, spec.maxX, spanX, [originX, width]) : undefined;
    const y = isBox ? sideIn(spec.minY, spec.maxY, spanY, [originY, height]) : undefined;
    const isPlain = x !== undefined && y !== undefined;
    this.#spanX = isPlain ? spanX : NOWHERE;
    this.#spanY = isPlain ? spanY : NOWHERE;
    this.minX = isPlain ? Math.max(x.min, spanX.min) : NOWHERE.min;
    this.maxX = isPlain ? Math.min(x.max, spanX.max) : NOWHERE.max;
    this.minY = isPlain ? Math.max(y.min, spanY.min) : NOWHERE.min;
    this.maxY = isPlain ? Math.min(y.max, spanY.max) : NOWHERE.max;
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

  /**
   * Narrows how far one at this place may go, by x and by y, and be still as much in the area, or
   * out of it, as it is now. Not at all where only the shape itself knows.
   */
  narrow(x: number, y: number, slack: { x: number; y: number }): void {
    const { minX, maxX, minY, maxY } = this;
    const wayX = Math.min(x - minX, maxX - x);
    const wayY = Math.min(y - minY, maxY - y);
    if (wayX >= 0 && wayY >= 0) {
      slack.x = Math.min(slack.x, wayX);
      slack.y = Math.min(slack.y, wayY);
      return;
    }
    // Out by x, by y, or both: as long as it stays out by the one, it may go anywhere by the other
    // that comparisons can tell.
    const isByX = wayX < wayY;
    slack.x = Math.min(slack.x, roomIn(this.#spanX, x), isByX ? -wayX : slack.x);
    slack.y = Math.min(slack.y, roomIn(this.#spanY, y), isByX ? slack.y : -wayY);
  }
}

/**
 * What a side of a box has of the span; `undefined` where two ends of it lie there, or one of them
 * at a seam or beyond it.
 */
function sideIn(
  min: number,
  max: number,
  span: Span,
  [low, extent]: readonly [number, number],
): Span | undefined {
  const high = low + extent;
  if (!(min > low && min < high && max > low && max < high)) return undefined;
  if (min <= max) return { min, max };
  // Through the seam: who is above the one end, or below the other.
  if (span.min > max) return { min, max: Number.POSITIVE_INFINITY };
  // To the bit as the area itself reckons, which unrolls the box first.
  const unrolled = max + extent;
  const past = unrolled > high ? unrolled - extent : Number.NEGATIVE_INFINITY;
  if (span.max < min) return { min: Number.NEGATIVE_INFINITY, max: past };
  return undefined;
}

/** The cell and one more to either side, as far as no coordinate there is wrapped or clamped. */
function spanOf(min: number, size: number, origin: number, extent: number): Span {
  const low = Math.max(min - size, origin);
  const high = Math.min(min + 2 * size, origin + extent);
  // The far border is the near one where the space wraps.
  return { min: low, max: high - extent * ROUNDING };
}

const ROUNDING = 1e-12;
