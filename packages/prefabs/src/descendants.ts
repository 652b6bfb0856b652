/**
 * Which living entities descend from prefabs, read from the state of their cells. An entity that is
 * between two cells at that moment is in neither, and is found by the next look.
 */
import {
  applyCommit,
  type CellImage,
  type ComponentValues,
  componentIndex,
  componentsOf,
  decodeCheckpoint,
  decodeCommit,
  type LayerSchema,
  PREFAB_COMPONENT,
  type SchemaResolver,
  type Store,
  Table,
} from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';

/** As many as one load reads with a few megabytes. */
const CELLS_PER_LOAD = 64;

export type Descendant = {
  readonly id: number;
  readonly cell: number;
  readonly prefab: string;
  /** The commit that it was made from, or last brought up to. */
  readonly version: string;
  /** All that it has, as stored. */
  readonly components: ComponentValues;
};

/** A layer of the world, to be read. */
export type ReadLayer = {
  readonly store: Pick<Store, 'load'>;
  /** As the module's pods write it; what is stored is read in it. */
  readonly schema: LayerSchema;
  readonly schemaOf: SchemaResolver;
};

/** The layer is that with the component that says who descends from what. */
export type DescendantsOptions = ReadLayer & {
  readonly grid: Pick<Grid, 'cells'>;
  /** All other layers of the world. */
  readonly others?: readonly ReadLayer[];
  /** Names of the prefabs that are of interest. */
  readonly of: ReadonlySet<string>;
  readonly progress?: (cells: number, cellsTotal: number) => void;
};

/** Ascending by cell, then id. Errors: those of `Store.load`, `SCHEMA_INCOMPATIBLE`. */
export async function findDescendants(options: DescendantsOptions): Promise<Descendant[]> {
  const { grid, progress, others = [] } = options;
  let found: Descendant[] = [];
  if (options.of.size === 0) return found;
  await eachCell(options, grid, (image, from) => {
    if (image.cell === from) progress?.(from, grid.cells);
    found.push(...descendantsIn(image, options));
  });
  for (const layer of found.length > 0 ? others : []) found = await completed(found, layer, grid);
  return found;
}

async function eachCell(
  { store }: ReadLayer,
  { cells: count }: Pick<Grid, 'cells'>,
  use: (image: CellImage, from: number) => void,
): Promise<void> {
  for (let from = 0; from < count; from += CELLS_PER_LOAD) {
    const length = Math.min(CELLS_PER_LOAD, count - from);
    const cells = Array.from({ length }, (_, i) => ({ cell: from + i }));
    for (const image of await store.load(cells)) use(image, from);
  }
}

/** With what another layer has of them; who is on the way there is left to the next look, too. */
async function completed(
  found: readonly Descendant[],
  layer: ReadLayer,
  grid: Pick<Grid, 'cells'>,
): Promise<Descendant[]> {
  const wanted = new Set(found.map(({ id }) => id));
  const values = new Map<number, ComponentValues>();
  await eachCell(layer, grid, (image) => {
    const table = tableOf(image, layer);
    for (let row = 0; row < table.count; row++) {
      const id = table.ids[row] as number;
      if (wanted.has(id)) values.set(id, componentsOf(table, row));
    }
  });
  return found.flatMap((each) => {
    const more = values.get(each.id);
    return more === undefined ? [] : [{ ...each, components: { ...each.components, ...more } }];
  });
}

function descendantsIn(image: CellImage, options: DescendantsOptions): Descendant[] {
  const table = tableOf(image, options);
  const own = componentIndex(table.schema, PREFAB_COMPONENT);
  const found: Descendant[] = [];
  if (own < 0) return found;
  for (let row = 0; row < table.count; row++) {
    if ((((table.masks[row] as number) >>> own) & 1) === 0) continue;
    const components = componentsOf(table, row);
    const { name, version } = components[PREFAB_COMPONENT] as { name: string; version: string };
    if (!options.of.has(name)) continue;
    const id = table.ids[row] as number;
    found.push({ id, cell: image.cell, prefab: name, version, components });
  }
  return found;
}

function tableOf({ checkpoint, entries }: CellImage, { schema, schemaOf }: ReadLayer): Table {
  const table =
    checkpoint === undefined
      ? new Table(schema)
      : decodeCheckpoint(checkpoint.body, schema, schemaOf).table;
  for (const { body } of entries) applyCommit(table, decodeCommit(body, schema, schemaOf));
  return table;
}
