/**
 * The shape of what each pod holds, from the holder of every cell: where there is room to write the
 * pod's number, and which borders lie between pods. Pure. Cell = row × columns + column; `holders`
 * has 0 for nobody and i + 1 for pod i.
 */
export type LabelPlace = {
  readonly holder: number;
  /** In cells from the grid's origin: 0.5 is the centre of the first. */
  readonly column: number;
  readonly row: number;
  /** Cells of the region it stands in. */
  readonly size: number;
  /** Whether it is the largest region of its holder. */
  readonly isMain: boolean;
};

type Extent = { readonly columns: number; readonly rows: number };

/** One place per region, as far from its border as may be; larger regions first. */
export function labelPlaces(holders: Uint16Array, { columns, rows }: Extent): LabelPlace[] {
  const depths = depthsOf(holders, columns, rows);
  const seen = new Uint8Array(holders.length);
  const places: Omit<LabelPlace, 'isMain'>[] = [];
  const region: number[] = [];
  for (let start = 0; start < holders.length; start++) {
    const holder = holders[start]!;
    if (holder === 0 || seen[start] === 1) continue;
    region.length = 0;
    flood(holders, columns, start, seen, region);
    places.push({ holder, size: region.length, ...deepest(region, depths, columns) });
  }
  const labelled = new Set<number>();
  return places
    .sort((a, b) => b.size - a.size || a.holder - b.holder)
    .map((place) => {
      const isMain = !labelled.has(place.holder);
      labelled.add(place.holder);
      return { ...place, isMain };
    });
}

function flood(
  holders: Uint16Array,
  columns: number,
  start: number,
  seen: Uint8Array,
  region: number[],
): void {
  const holder = holders[start]!;
  const add = (cell: number): void => {
    if (holders[cell] !== holder || seen[cell] === 1) return;
    seen[cell] = 1;
    region.push(cell);
  };
  add(start);
  for (let i = 0; i < region.length; i++) {
    const cell = region[i]!;
    const column = cell % columns;
    if (column > 0) add(cell - 1);
    if (column < columns - 1) add(cell + 1);
    add(cell - columns);
    add(cell + columns);
  }
}

/** For each cell, how many steps of a chess king it is from a cell of another holder or the edge. */
function depthsOf(holders: Uint16Array, columns: number, rows: number): Uint16Array {
  const depths = new Uint16Array(holders.length);
  const at = (cell: number, column: number, row: number): number => {
    const isInside = column >= 0 && column < columns && row >= 0 && row < rows;
    const other = row * columns + column;
    return isInside && holders[other] === holders[cell] ? depths[other]! : 0;
  };
  const pass = (cell: number, step: number, most: number): void => {
    const column = cell % columns;
    const row = (cell - column) / columns;
    const least = Math.min(
      at(cell, column - step, row),
      at(cell, column - step, row - step),
      at(cell, column, row - step),
      at(cell, column + step, row - step),
    );
    depths[cell] = Math.min(most, least + 1);
  };
  for (let cell = 0; cell < depths.length; cell++) pass(cell, 1, 0xffff);
  for (let cell = depths.length - 1; cell >= 0; cell--) pass(cell, -1, depths[cell]!);
  return depths;
}

/** Among the cells farthest from the border, the one nearest to the middle of the region. */
function deepest(
  region: readonly number[],
  depths: Uint16Array,
  columns: number,
): { column: number; row: number } {
  let sumColumn = 0;
  let sumRow = 0;
  let depth = 0;
  for (const cell of region) {
    sumColumn += cell % columns;
    sumRow += Math.floor(cell / columns);
    depth = Math.max(depth, depths[cell]!);
  }
  const [midColumn, midRow] = [sumColumn / region.length, sumRow / region.length];
  let nearest = Number.POSITIVE_INFINITY;
  let place = { column: 0.5, row: 0.5 };
  for (const cell of region) {
    if (depths[cell] !== depth) continue;
    const column = cell % columns;
    const row = Math.floor(cell / columns);
    const distance = Math.hypot(column - midColumn, row - midRow);
    if (distance >= nearest) continue;
    nearest = distance;
    place = { column: column + 0.5, row: row + 0.5 };
  }
  return place;
}

/**
 * Lines between cells of different holders, as [column, row, column, row] of their ends, in cells
 * from the grid's origin. Lines that continue each other are one.
 */
export function borderLines(holders: Uint16Array, { columns, rows }: Extent): number[] {
  const lines: number[] = [];
  for (let row = 1; row < rows; row++) {
    let from = -1;
    for (let column = 0; column <= columns; column++) {
      const cell = row * columns + column;
      const isBorder = column < columns && holders[cell] !== holders[cell - columns];
      if (isBorder && from < 0) from = column;
      if (isBorder || from < 0) continue;
      lines.push(from, row, column, row);
      from = -1;
    }
  }
  for (let column = 1; column < columns; column++) {
    let from = -1;
    for (let row = 0; row <= rows; row++) {
      const cell = row * columns + column;
      const isBorder = row < rows && holders[cell] !== holders[cell - 1];
      if (isBorder && from < 0) from = row;
      if (isBorder || from < 0) continue;
      lines.push(column, from, column, row);
      from = -1;
    }
  }
  return lines;
}
