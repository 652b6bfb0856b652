import type { Store } from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
export type CellRowsAt = {
  readonly cell: number;
  readonly ids: readonly number[];
  readonly xs: readonly number[];
  readonly ys: readonly number[];
};
export async function nearestOf(_: {
  readonly store: Store;
  readonly grid: Grid;
  readonly x: number;
  readonly y: number;
  readonly count: number;
  readonly rowsOf: (cells: readonly number[]) => Promise<CellRowsAt[]>;
}): Promise<{ id: number; cell: number; distance: number }[]> {
  return [];
}
