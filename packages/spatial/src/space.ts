/** What kind of space a world has, and whether it can be cut into cells at all. */
import { CELLS_MAX, LeaseholdError } from '@leasehold/kernel';

/**
 * plane    x in [0, width), y in [0, height), in units of the world; what is outside counts as
 *          being at the border. The last column and row may reach beyond the extent.
 * torus    the same, with opposite edges joined; width and height are whole cells, 1 or at least 3.
 * wgs84    x is longitude in [−180, 180), y is latitude in [−90, 90], in degrees; the cell, in
 *          degrees too, divides 180 and is at most 60. Rows end at the poles.
 */
export type SpaceSpec =
  | {
      readonly kind: 'plane';
      readonly width: number;
      readonly height: number;
      readonly cell: number;
    }
  | {
      readonly kind: 'torus';
      readonly width: number;
      readonly height: number;
      readonly cell: number;
    }
  | { readonly kind: 'wgs84'; readonly cell: number };

export type MeasuredSpace = {
  readonly originX: number;
  readonly originY: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
};

/** A block is one slot of a Redis Cluster; 256 cells in one leave nothing to spread. */
export const BLOCK_CELLS_MAX = 16;
/** With fewer, the cells left and right of a cell are one and the same. */
export const TORUS_CELLS_MIN = 3;
/** 6 × 3 cells: below that, opposite neighbours on a circle of latitude meet. */
export const WGS84_CELL_MAX = 60;

function fault(field: string, value: unknown, problem: string, remedy: string): LeaseholdError {
  return new LeaseholdError('SPACE_INVALID', `${field}: ${String(value)} ${problem}`, {
    field,
    value: String(value),
    remedy,
  });
}

function positive(field: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  const example = field === 'space.cell' ? '100' : '1000';
  throw fault(field, value, 'is not a size', `Use a number above 0, such as ${example}.`);
}

/** How many cells fill `extent`; not whole when they do not divide it. Forgives rounding. */
function cellsAlong(extent: number, cell: number): number {
  const count = extent / cell;
  return Math.abs(count - Math.round(count)) < 1e-9 * count ? Math.round(count) : count;
}

function cellsAroundTorus(field: string, extent: number, cell: number): number {
  const count = cellsAlong(extent, cell);
  // One cell is beside itself only; of two, each would be on both sides of the other.
  if (count === 1 || (Number.isInteger(count) && count >= TORUS_CELLS_MIN)) return count;
  const near = Math.max(TORUS_CELLS_MIN, Math.round(count)) * cell;
  const remedy = `Use a whole number of cells, 1 or at least ${TORUS_CELLS_MIN}, such as ${near}.`;
  throw fault(field, extent, `cannot be joined at the edges with cells of ${cell}`, remedy);
}

function rowsOfSphere(cell: number): number {
  const rows = cellsAlong(180, cell);
  if (Number.isInteger(rows) && cell <= WGS84_CELL_MAX) return rows;
  const near = 180 / Math.max(180 / WGS84_CELL_MAX, Math.round(180 / cell));
  const remedy = `Use degrees that divide 180, at most ${WGS84_CELL_MAX}, such as ${near}.`;
  throw fault('space.cell', cell, 'degrees do not divide the globe', remedy);
}

/** Counts columns and rows. Errors: `SPACE_INVALID`, naming the field as a manifest writes it. */
export function measureSpace(spec: SpaceSpec): MeasuredSpace {
  positive('space.cell', spec.cell);
  const measured = measureKind(spec);
  const cells = measured.columns * measured.rows;
  if (cells <= CELLS_MAX) return measured;
  const least = Math.sqrt((measured.width * measured.height) / CELLS_MAX);
  const remedy = `Use cells of at least ${Number((least * 1.005).toPrecision(3))}.`;
  throw fault('space.cell', spec.cell, `makes ${cells} cells of at most ${CELLS_MAX}`, remedy);
}

function measureKind(spec: SpaceSpec): MeasuredSpace {
  if (spec.kind === 'wgs84') {
    const rows = rowsOfSphere(spec.cell);
    return { originX: -180, originY: -90, width: 360, height: 180, columns: rows * 2, rows };
  }
  const { kind, width, height, cell } = spec;
  if (kind !== 'plane' && kind !== 'torus') {
    throw fault('space.kind', kind, 'is no kind of space', 'Use plane, torus or wgs84.');
  }
  positive('space.width', width);
  positive('space.height', height);
  const whole = kind === 'torus';
  return {
    originX: 0,
    originY: 0,
    width,
    height,
    columns: whole
      ? cellsAroundTorus('space.width', width, cell)
      : Math.ceil(cellsAlong(width, cell)),
    rows: whole
      ? cellsAroundTorus('space.height', height, cell)
      : Math.ceil(cellsAlong(height, cell)),
  };
}
