/**
 * What is in an area, page by page, and what is nearest to a point: from state, read for each
 * question. The layer that says where entities are says who is in the area; what is asked of
 * components of other layers is looked up there. Who is on the way between two cells at that moment is
 * in neither.
 */
import { LeaseholdError } from '@leasehold/kernel';
import type { ComponentValues, Table } from '@leasehold/protocol';
import type { Area } from '@leasehold/protocol/view';
import { AreaShape } from '@leasehold/spatial';
import { type CellPositions, type NearestQuery, nearest } from '@leasehold/view';
import { CELLS_PER_READ_MAX, readCells } from './cell-states.ts';
import { isTold, type LayerRows, mergedOf, type ReadEntity, ticksOf } from './entity-reading.ts';
import { findRow } from './finding.ts';
import { rowsBeside } from './rows-beside.ts';
import type { Predicate } from './where.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

export type Selection = {
  /** Components that are told; undefined: all. */
  readonly wanted: ReadonlySet<string> | undefined;
  /** What must hold of rows, by the layers that are asked about; of others nothing must. */
  readonly filters: ReadonlyMap<OpenLayer, Filter>;
};

export type Filter = {
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

export type Page = Pick<ReadEntity, 'ticks'> & {
  readonly tick: number;
  readonly entities: Told[];
  /** The last id, when there are more. */
  readonly next?: string;
};

/** Cells of one question: 1 MB each at the most, 32 of them in memory at once. */
export const AREA_CELLS_MAX = 1_024;

type Row = LayerRows extends ReadonlyMap<OpenLayer, infer R> ? R : never;
/** Its rows that were looked at, that of the layer which says where it is first. */
type Hit = {
  readonly id: number;
  readonly cell: number;
  readonly rows: Map<OpenLayer, Row>;
};

/** Ascending by id, behind the cursor. Errors: `AREA_INVALID`, `LIMIT_EXCEEDED`, `ENTITY_UNKNOWN`. */
export async function pageOf(
  open: OpenWorld,
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
  const [home] = open.layers;
  const shape = await shapeOf(open, area);
  const cells = [...shape.cells];
  if (cells.length > AREA_CELLS_MAX) {
    throw new LeaseholdError('LIMIT_EXCEEDED', `the area touches ${cells.length} cells`, {
      field: 'area',
      value: String(cells.length),
      remedy: `Ask for an area of at most ${AREA_CELLS_MAX} cells.`,
    });
  }
  let tick = 0;
  let hits: Hit[] = [];
  for (let from = 0; from < cells.length; from += CELLS_PER_READ_MAX) {
    const fresh: Hit[] = [];
    await readCells(home, cells.slice(from, from + CELLS_PER_READ_MAX), (state) => {
      const { cell, table } = state;
      tick = Math.max(tick, state.tick);
      const isWhole = shape.isWhole(cell);
      for (let row = 0; row < table.count; row++) {
        const id = table.ids[row] as number;
        if (id <= after || !isSelected(table, row, selection.filters.get(home))) continue;
        const at = isWhole ? undefined : placeOf(home, table, row);
        if (!isWhole && (at === undefined || !shape.contains(at.x, at.y))) continue;
        fresh.push({ id, cell, rows: new Map([[home, { tick: state.tick, table, row }]]) });
      }
      return false;
    });
    hits.push(...(await selectedBeside(open, fresh, selection)));
    // Tables of cells that are not on the page are let go.
    if (hits.length > 4 * limit) hits = first(hits, limit + 1);
  }
  const found = first(hits, limit + 1);
  const page = found.slice(0, limit);
  const ticks = await completed(open, page, selection);
  const entities = page.map((hit) => toldOf(home, hit, selection));
  const last = entities.at(-1);
  const next = found.length > limit && last ? { next: String(last.id) } : {};
  return { tick, ...ticks, entities, ...next };
}

/** Each id once: who moved while cells were read may be in two. */
function first(hits: readonly Hit[], count: number): Hit[] {
  const sorted = [...hits].sort((a, b) => a.id - b.id);
  return sorted.filter(({ id }, i) => sorted[i - 1]?.id !== id).slice(0, count);
}

/** Those of whom holds what is asked of their rows in other layers. */
async function selectedBeside(
  open: OpenWorld,
  hits: readonly Hit[],
  { filters }: Selection,
): Promise<readonly Hit[]> {
  let left = hits;
  for (const layer of open.layers.slice(1)) {
    const filter = filters.get(layer);
    if (filter === undefined || left.length === 0) continue;
    const rows = await rowsBeside(open, layer, left);
    left = left.filter((hit) => {
      const row = rows.get(hit.id);
      if (row === undefined || !isSelected(row.table, row.row, filter)) return false;
      // What is told is what was compared.
      hit.rows.set(layer, row);
      return true;
    });
  }
  return left;
}

/** Adds rows of layers that are told and were not looked at yet. Answers the ticks of all of them. */
async function completed(
  open: OpenWorld,
  hits: readonly Hit[],
  { wanted, filters }: Selection,
): Promise<Pick<ReadEntity, 'ticks'>> {
  for (const layer of open.layers.slice(1)) {
    if (filters.has(layer) || !isTold(layer, wanted)) continue;
    const rows = await rowsBeside(open, layer, hits);
    for (const hit of hits) {
      const row = rows.get(hit.id);
      if (row !== undefined) hit.rows.set(layer, row);
    }
  }
  const latest = new Map<OpenLayer, { readonly tick: number }>();
  for (const [layer, { tick }] of hits.flatMap(({ rows }) => [...rows])) {
    if (tick >= (latest.get(layer)?.tick ?? 0)) latest.set(layer, { tick });
  }
  return ticksOf(open, latest);
}

async function shapeOf(open: OpenWorld, area: Area): Promise<AreaShape> {
  const { grid, layers } = open;
  if (area.kind !== 'around') return new AreaShape(grid, area);
  const { table, row } = await findRow(open, area.entity);
  const at = placeOf(layers[0], table, row);
  if (at === undefined) {
    throw new LeaseholdError('AREA_INVALID', `entity ${area.entity} is at no place`, {
      field: 'around',
      value: String(area.entity),
      remedy: 'Name an entity that has a position.',
    });
  }
  return new AreaShape(grid, { kind: 'circle', ...at, radius: area.radius });
}

/** Errors: those of `nearest`. */
export async function nearestOf(
  open: OpenWorld,
  query: NearestQuery,
  selection: Selection,
): Promise<Page> {
  const [home] = open.layers;
  const hits = new Map<number, Hit>();
  let tick = 0;
  const rowsOf = async (cells: readonly number[]): Promise<CellPositions[]> => {
    const fresh: Hit[] = [];
    await readCells(home, cells, (state) => {
      const { cell, table } = state;
      tick = Math.max(tick, state.tick);
      for (let row = 0; row < table.count; row++) {
        const id = table.ids[row] as number;
        if (!isSelected(table, row, selection.filters.get(home))) continue;
        fresh.push({ id, cell, rows: new Map([[home, { tick: state.tick, table, row }]]) });
      }
      return false;
    });
    const selected = await selectedBeside(open, fresh, selection);
    for (const hit of selected) hits.set(hit.id, hit);
    return cells.map((cell) => positionsOf(home, cell, selected));
  };
  const found = await nearest({ store: home.store, grid: open.grid, rowsOf }, query);
  const nearby = found.flatMap(({ id }) => hits.get(id) ?? []);
  const ticks = await completed(open, nearby, selection);
  const entities = found.flatMap(({ id, x, y, distance }): Told[] => {
    const hit = hits.get(id);
    if (hit === undefined) return [];
    const { cell, components } = toldOf(home, hit, selection);
    return [{ id, cell, x, y, distance, components }];
  });
  return { tick, ...ticks, entities };
}

function positionsOf(home: OpenLayer, cell: number, hits: readonly Hit[]): CellPositions {
  const ids: number[] = [];
  const xs: number[] = [];
  const ys: number[] = [];
  for (const hit of hits) {
    const at = hit.cell === cell ? placeOfHit(home, hit) : undefined;
    if (at === undefined) continue;
    ids.push(hit.id);
    xs.push(at.x);
    ys.push(at.y);
  }
  return { cell, count: ids.length, ids, xs, ys };
}

function isSelected(table: Table, row: number, filter: Filter | undefined): boolean {
  if (filter === undefined) return true;
  const { mask, predicate } = filter;
  return ((table.masks[row] as number) & mask) >>> 0 === mask && predicate(table, row);
}

type Place = { readonly x: number; readonly y: number };

function placeOf({ spatial }: OpenLayer, table: Table, row: number): Place | undefined {
  if (spatial === undefined) return undefined;
  if ((((table.masks[row] as number) >>> spatial.component) & 1) === 0) return undefined;
  const columns = table.columns[spatial.component] ?? [];
  return { x: Number(columns[spatial.x]?.[row]), y: Number(columns[spatial.y]?.[row]) };
}

function placeOfHit(home: OpenLayer, { rows }: Hit): Place | undefined {
  const at = rows.get(home);
  return at === undefined ? undefined : placeOf(home, at.table, at.row);
}

function toldOf(home: OpenLayer, hit: Hit, { wanted }: Selection): Told {
  const { id, cell, rows } = hit;
  return { id, cell, ...placeOfHit(home, hit), components: mergedOf(rows, wanted) };
}
