/** All that can be said of a restored world without any pod: from the store alone. */
import { openLiveStore } from '@leasehold/live-store';
import {
  cellOfAddress,
  type Head,
  layerOfAddress,
  type Store,
  type Table,
} from '@leasehold/protocol';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { homeLayer, type LoadedWorld } from '@leasehold/world';
import { tablesOf } from '../stored-tables.ts';
import { letterFaults } from './letter-census.ts';

export type StoredWorld = {
  readonly url: string;
  readonly world: string;
  readonly incarnation: number;
  readonly loaded: LoadedWorld;
};

export type BranchCensus = {
  /** Of the home layer, ascending: its cells, and who is on the way between them. */
  readonly ids: readonly number[];
  /** The last id that each cell of it bore. */
  readonly counters: ReadonlyMap<number, number>;
  /** By layer, in the order of the manifest. */
  readonly tables: ReadonlyMap<string, readonly Table[]>;
  /** E1, M1, M2 and channels, as they are broken. */
  readonly faults: readonly string[];
};

type OpenLayer = { readonly store: Store; readonly engine: Engine };

/** `isAtRest`: nothing is on its way between layers, so they must agree. */
export async function censusOf(at: StoredWorld, isAtRest: boolean): Promise<BranchCensus> {
  const { manifest } = at.loaded;
  const open: OpenLayer[] = [];
  try {
    for (const layer of Object.keys(manifest.layers)) open.push(await openLayer(at, layer));
    const tables = new Map<string, readonly Table[]>();
    const ids = new Map<string, number[]>();
    for (const { store, engine } of open) {
      const found = await tablesOf(store, engine);
      tables.set(engine.schema.layer, found);
      ids.set(engine.schema.layer, idsOf(found));
    }
    const home = homeLayer(at.loaded);
    const own = ids.get(home) ?? [];
    const others = [...ids].filter(([layer]) => layer !== home);
    const faults = [
      ...duplicates(own),
      ...(await channelFaults(open)),
      ...(isAtRest ? others.flatMap(([layer, of]) => differences(layer, own, of)) : []),
      ...(await lettersOf(open, tables)),
    ];
    const heads = await headsOf(open.find(({ engine }) => engine.schema.layer === home));
    const counters = new Map([...heads.values()].map(({ cell, idCounter }) => [cell, idCounter]));
    return { ids: own, counters, tables, faults };
  } finally {
    await Promise.all(open.map(({ store }) => store.close()));
  }
}

async function openLayer({ url, world, incarnation, loaded }: StoredWorld, layer: string) {
  const { grid, manifest, simulation } = loaded;
  const { seed, tickHz, params, layers } = manifest;
  const engine = compile(simulation, { layer, grid, seed, tickHz, params, layers });
  const place = { url, world, incarnation, layer, layers: engine.layers, grid };
  return { store: await openLiveStore(place), engine };
}

export const idsOf = (tables: readonly Table[]): number[] =>
  tables.flatMap(({ ids, count }) => [...ids.subarray(0, count)]).sort((a, b) => a - b);

/** E1: in one cell, or in one channel beyond its reader's cursor. */
function duplicates(ids: readonly number[]): string[] {
  const twice = ids.filter((id, i) => id === ids[i - 1]);
  return twice.length === 0 ? [] : [`E1: twice there: ${shown(twice)}`];
}

/** E1 of another layer. */
function differences(layer: string, home: readonly number[], of: readonly number[]): string[] {
  const [here, there] = [new Set(home), new Set(of)];
  const missing = home.filter((id) => !there.has(id));
  const strange = of.filter((id) => !here.has(id));
  return [
    ...duplicates(of).map((fault) => `${fault} in ${layer}`),
    ...(missing.length === 0 ? [] : [`E1: not in ${layer}: ${shown(missing)}`]),
    ...(strange.length === 0 ? [] : [`E1: only in ${layer}: ${shown(strange)}`]),
  ];
}

const SHOWN_MAX = 5;

const shown = (ids: readonly number[]): string =>
  `${ids.slice(0, SHOWN_MAX).join(', ')}${ids.length > SHOWN_MAX ? ` and ${ids.length - SHOWN_MAX} more` : ''}`;

/** S1: nobody took what was not sent, and no channel has more than that. */
async function channelFaults(layers: readonly OpenLayer[]): Promise<string[]> {
  const heads = await Promise.all(layers.map(headsOf));
  const faults: string[] = [];
  for (const [layer, of] of heads.entries()) {
    const { store, engine } = layers[layer] as OpenLayer;
    for (const { cell, cursors, outSeq } of of.values()) {
      for (const [address, seq] of cursors) {
        const other = layerOfAddress(address);
        const source = heads[other === -1 ? layer : other]?.get(cellOfAddress(address));
        if (seq <= (source?.outSeq ?? 0)) continue;
        const what = `entry ${seq} of ${source?.outSeq ?? 0} of ${cellOfAddress(address)}`;
        faults.push(`S1: cell ${cell} of ${engine.schema.layer} took ${what}`);
      }
      const last = (await store.channel(cell, 0)).at(-1)?.seq ?? 0;
      if (last > outSeq)
        faults.push(`S1: cell ${cell} of ${engine.schema.layer} sent ${outSeq}, not ${last}`);
    }
  }
  return faults;
}

async function headsOf(layer: OpenLayer | undefined): Promise<ReadonlyMap<number, Head>> {
  if (layer === undefined) return new Map();
  const { store, engine } = layer;
  const heads = await store.heads([...Array(engine.grid.cells).keys()]);
  return new Map(heads.flatMap((head) => ('tag' in head ? [] : [[head.cell, head] as const])));
}

/** In worlds whose entities count their letters. */
async function lettersOf(
  open: readonly OpenLayer[],
  tables: ReadonlyMap<string, readonly Table[]>,
): Promise<string[]> {
  const [only, ...others] = open;
  const has = only?.engine.schema.components.some(({ name }) => name === 'sent') === true;
  if (only === undefined || others.length > 0 || !has) return [];
  const { store, engine } = only;
  const cells = [...(await headsOf(only)).values()];
  return letterFaults(store, cells, tables.get(engine.schema.layer) ?? []);
}
