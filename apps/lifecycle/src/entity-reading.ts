/**
 * One entity as all layers of its world have it. Each layer is another log of another pod, so each is
 * told as of its own last tick: the others follow the one that says who lives by a tick or two.
 */
import { type ComponentValues, componentsOf } from '@leasehold/protocol';
import { systemClock } from '@leasehold/service';
import { type FoundRow, findIn, findLikely, findRow } from './finding.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

export type ReadEntity = {
  readonly id: number;
  /** As the layer has it that says where entities are. */
  readonly cell: number;
  readonly tick: number;
  /** In worlds of several layers: of each that was read and has a row for it. */
  readonly ticks?: Readonly<Record<string, number>>;
  readonly components: ComponentValues;
};

/** Who was just born, or has just crossed a border, is in the other layers some ticks later. */
const LOOKS_MAX = 8;
const LOOK_MS = 40;

/** Rows of one entity, by their layers. */
export type LayerRows = ReadonlyMap<OpenLayer, Pick<FoundRow, 'tick' | 'table' | 'row'>>;

/** Errors: `ENTITY_UNKNOWN`, and those of reading. */
export async function readEntity(
  open: OpenWorld,
  id: number,
  wanted?: ReadonlySet<string>,
): Promise<ReadEntity> {
  const home = await findRow(open, id);
  const [first, ...others] = open.layers;
  const told = others.filter((layer) => isTold(layer, wanted));
  const beside = await Promise.all(told.map((layer) => rowBeside(open, layer, home)));
  const rows = new Map([[first, home]]);
  for (const [i, layer] of told.entries()) {
    const row = beside[i];
    if (row !== undefined) rows.set(layer, row);
  }
  const { cell, tick } = home;
  return { id, cell, tick, ...ticksOf(open, rows), components: mergedOf(rows, wanted) };
}

/** Whether a layer has any component that is wanted. */
export function isTold({ own }: OpenLayer, wanted: ReadonlySet<string> | undefined): boolean {
  return own.components.some(({ name }) => wanted?.has(name) ?? true);
}

/** Each component stands in one layer, so none hides another. */
export function mergedOf(
  rows: LayerRows,
  wanted: ReadonlySet<string> | undefined,
): ComponentValues {
  const parts = [...rows.values()].map(({ table, row }) => componentsOf(table, row, wanted));
  return Object.assign({}, ...parts) as ComponentValues;
}

/** Nothing in a world of one layer, whose tick is told anyway. */
export function ticksOf(
  { layers }: Pick<OpenWorld, 'layers'>,
  rows: ReadonlyMap<OpenLayer, { readonly tick: number }>,
): Pick<ReadEntity, 'ticks'> {
  if (layers.length === 1) return {};
  return { ticks: Object.fromEntries([...rows].map(([{ layer }, { tick }]) => [layer, tick])) };
}

/** Undefined: the layer has no row for it, though it lives. Errors: `ENTITY_UNKNOWN` if not. */
async function rowBeside(
  open: OpenWorld,
  layer: OpenLayer,
  { id, cell }: FoundRow,
): Promise<FoundRow | undefined> {
  for (let look = 1; look < LOOKS_MAX; look++) {
    const found = await findLikely(open, layer, id, cell);
    if (found !== undefined) return found;
    await systemClock.sleep(LOOK_MS);
  }
  // By now it is far from there, or no more.
  const now = await findRow(open, id);
  return findIn(open, layer, id, now.cell);
}
