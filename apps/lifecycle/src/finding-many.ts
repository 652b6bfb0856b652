/**
 * What is in an area, page by page, and what is nearest to a point: from state, read for each
 * question. Who is on the way between two cells at that moment is in neither.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { ComponentValues, Table } from '@leasehold/protocol';
import type { Area } from '@leasehold/protocol/view';
import { AreaShape } from '@leasehold/spatial';
import { type CellPositions, type NearestQuery, nearest } from '@leasehold/view';
import { componentsOf, readCells } from './cell-states.ts';
import { findEntity } from './finding.ts';
import type { Predicate } from './where.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

export type Selection = {
  /** Components that are told; undefined: all. */
  readonly wanted: ReadonlySet<string> | undefined;
  /** Bits of the components that an entity must have. */
  readonly mask: number;
  readonly predicate: Predicate;
};

export type Told = {
  readonly id: number;
  readonly cell: number;
  readonly x?: number;
  readonly y?: number;
  readonly distance?: number;
  readonly components: ComponentValues;
};

export type Page = {
  readonly tick: number;
  readonly entities: Told[];
  /** The last id, when there are more. */
  readonly next?: string;
};

/** Cells of one question: 1 MB each at the most, 32 of them in memory at once. */
export const AREA_CELLS_MAX = 1_024;

type Hit = {
  readonly id: number;
  readonly cell: number;
  readonly table: Table;
  readonly row: number;
};

/** Ascending by id, behind the cursor. Errors: `AREA_INVALID`, `LIMIT_EXCEEDED`, `ENTITY_UNKNOWN`. */
export async function pageOf(
  open: OpenWorld,
  layer: OpenLayer,
  area: Area,
  {
    selection,
    limit,
    after,
  }: {
    readonly selection: Selection;
    readonly limit: number;
    readonly after: number;
  },
): Promise<Page> {
  const shape = await shapeOf(open, layer, area);
  if (shape.cells.length > AREA_CELLS_MAX) {
    throw new LeaseholdError('LIMIT_EXCEEDED', `the area touches ${shape.cells.length} cells`, {
      field: 'area',
      value: String(shape.cells.length),
      remedy: `Ask for an area of at most ${AREA_CELLS_MAX} cells.`,
    });
  }
  let tick = 0;
  let hits: Hit[] = [];
  await readCells(layer, [...shape.cells], (state) => {
    const { cell, table } = state;
    tick = Math.max(tick, state.tick);
    const isWhole = shape.isWhole(cell);
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      if (id <= after || !isSelected(table, row, selection)) continue;
      const at = isWhole ? undefined : placeOf(layer, table, row);
      if (!isWhole && (at === undefined || !shape.contains(at.x, at.y))) continue;
      hits.push({ id, cell, table, row });
    }
    // Tables of cells that are not on the page are let go.
    if (hits.length > 4 * limit) hits = first(hits, limit + 1);
    return false;
  });
  const page = first(hits, limit + 1);
  const entities = page.slice(0, limit).map((hit) => toldOf(layer, hit, selection));
  const last = entities.at(-1);
  return { tick, entities, ...(page.length > limit && last ? { next: String(last.id) } : {}) };
}

/** Each id once: who moved while cells were read may be in two. */
function first(hits: readonly Hit[], count: number): Hit[] {
  const sorted = [...hits].sort((a, b) => a.id - b.id);
  return sorted.filter(({ id }, i) => sorted[i - 1]?.id !== id).slice(0, count);
}

async function shapeOf(open: OpenWorld, layer: OpenLayer, area: Area): Promise<AreaShape> {
  const { grid } = open;
  if (area.kind !== 'around') return new AreaShape(grid, area);
  const { spatial } = layer;
  const { components } = await findEntity(open, layer, area.entity);
  const fields = spatial && components[spatial.name];
  const [x, y] = [fields?.[spatial?.xName ?? ''], fields?.[spatial?.yName ?? '']];
  if (typeof x !== 'number' || typeof y !== 'number') {
    throw new LeaseholdError('AREA_INVALID', `entity ${area.entity} is at no place`, {
      field: 'around',
      value: String(area.entity),
      remedy: 'Name an entity that has a position.',
    });
  }
  return new AreaShape(grid, { kind: 'circle', x, y, radius: area.radius });
}

/** Errors: those of `nearest`. */
export async function nearestOf(
  open: OpenWorld,
  layer: OpenLayer,
  query: NearestQuery,
  selection: Selection,
): Promise<Page> {
  const tables = new Map<number, Table>();
  let tick = 0;
  const rowsOf = async (cells: readonly number[]): Promise<CellPositions[]> => {
    const found: CellPositions[] = [];
    await readCells(layer, cells, (state) => {
      tick = Math.max(tick, state.tick);
      tables.set(state.cell, state.table);
      found.push(positionsOf(layer, state.cell, state.table, selection));
      return false;
    });
    return found;
  };
  const found = await nearest({ store: layer.store, grid: open.grid, rowsOf }, query);
  const entities = found.flatMap(({ id, cell, x, y, distance }): Told[] => {
    const table = tables.get(cell);
    const row = table?.find(id) ?? -1;
    if (table === undefined || row < 0) return [];
    return [{ id, cell, x, y, distance, components: componentsOf(table, row, selection.wanted) }];
  });
  return { tick, entities };
}

function positionsOf(
  layer: OpenLayer,
  cell: number,
  table: Table,
  selection: Selection,
): CellPositions {
  const ids: number[] = [];
  const xs: number[] = [];
  const ys: number[] = [];
  for (let row = 0; row < table.count; row++) {
    const at = placeOf(layer, table, row);
    if (at === undefined || !isSelected(table, row, selection)) continue;
    ids.push(table.ids[row] as number);
    xs.push(at.x);
    ys.push(at.y);
  }
  return { cell, count: ids.length, ids, xs, ys };
}

function isSelected(table: Table, row: number, { mask, predicate }: Selection): boolean {
  return ((table.masks[row] as number) & mask) >>> 0 === mask && predicate(table, row);
}

function placeOf(
  { spatial }: OpenLayer,
  table: Table,
  row: number,
): { readonly x: number; readonly y: number } | undefined {
  if (spatial === undefined) return undefined;
  if ((((table.masks[row] as number) >>> spatial.component) & 1) === 0) return undefined;
  const columns = table.columns[spatial.component] ?? [];
  return { x: Number(columns[spatial.x]?.[row]), y: Number(columns[spatial.y]?.[row]) };
}

function toldOf(layer: OpenLayer, { id, cell, table, row }: Hit, { wanted }: Selection): Told {
  const components = componentsOf(table, row, wanted);
  return { id, cell, ...placeOf(layer, table, row), components };
}
