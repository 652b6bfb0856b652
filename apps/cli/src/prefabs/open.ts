/** The prefabs of a world, opened by its folder: repository, record, and the living where asked. */

import { join } from 'node:path';
import { LeaseholdError } from '@leasehold/kernel';
import { type LiveStore, openLiveStore, storedSchemas } from '@leasehold/live-store';
import {
  type Descendant,
  findDescendants,
  openWorldPrefabs,
  type PrefabRepository,
  type PrefabSource,
  type WorldPrefabs,
} from '@leasehold/prefabs';
import { isOwnComponent, type LayerSchema } from '@leasehold/protocol';
import { compile } from '@leasehold/sdk/engine';
import { openServers } from '@leasehold/servers';
import { type LoadedWorld, loadWorld } from '@leasehold/world';
import type { Output } from '../output.ts';
import { commandRegistry } from '../registry.ts';

export type PrefabPlace = { readonly folder: string; readonly home: string };

export type OpenPrefabs = {
  readonly loaded: LoadedWorld;
  readonly source: PrefabSource;
  readonly pollMs: number;
  readonly repository: PrefabRepository;
  readonly prefabs: WorldPrefabs;
  readonly home: string;
  readonly redisUrl: string;
};

/** Errors: those of a folder, `SETTING_INVALID` without prefabs, `PREFAB_INVALID`, those of git. */
export async function withPrefabs<T>(
  { folder, home }: PrefabPlace,
  work: (open: OpenPrefabs) => Promise<T>,
): Promise<T> {
  const loaded = await loadWorld(folder);
  const { world, prefabs: given } = loaded.manifest;
  if (given === undefined) {
    throw new LeaseholdError('SETTING_INVALID', `${world} does not say where its prefabs are`, {
      field: 'prefabs',
      value: '',
      remedy: 'Add to world.yaml: prefabs: {repository: .}',
    });
  }
  const servers = await openServers({ home, allowEmbedded: true });
  const closing: (() => Promise<void>)[] = [() => servers.close()];
  try {
    const { redisUrl } = servers;
    const opened = await openPrefabsOf(loaded, given, { home, redisUrl });
    closing.unshift(() => opened.close());
    const { prefabs, repository } = opened;
    const { pollMs } = given;
    const { source } = repository;
    return await work({ loaded, source, pollMs, repository, prefabs, home, redisUrl });
  } finally {
    for (const close of closing) await close();
  }
}

export function openPrefabsOf(
  { folder, manifest, simulation }: LoadedWorld,
  source: PrefabSource,
  { home, redisUrl }: { readonly home: string; readonly redisUrl: string },
) {
  const { world } = manifest;
  const schemas = simulation.components.map(({ schema }) => schema);
  return openWorldPrefabs({ world, folder, source, schemas, cache: join(home, 'git'), redisUrl });
}

export type Living = {
  readonly store: LiveStore;
  readonly descendants: readonly Descendant[];
};

/**
 * The living descendants of these prefabs, and the store to ask something of them. Of a world that is
 * not stored there are none, and `work` gets undefined.
 */
export async function withLiving<T>(
  { loaded, home, redisUrl }: OpenPrefabs,
  of: ReadonlySet<string>,
  output: Output,
  work: (living: Living | undefined) => Promise<T>,
): Promise<T> {
  const { grid, manifest, simulation } = loaded;
  const { world, layers, seed, tickHz, params } = manifest;
  const record = await (await commandRegistry({ home }, output)).read(world);
  // As pods write rows: with copies of other layers' components.
  const schemas = Object.keys(layers).map(
    (layer) => compile(simulation, { layer, layers, grid, seed, tickHz, params }).schema,
  );
  const schema = schemas.find(({ components }) =>
    components.some((each) => each.name === 'prefab' && isOwnComponent(each)),
  );
  if (record?.state !== 'ready' || schema === undefined || of.size === 0) return work(undefined);
  const { incarnation } = record;
  const stores: LiveStore[] = [];
  const opened = async (read: LayerSchema) => {
    const { layer } = read;
    const store = await openLiveStore({ url: redisUrl, world, incarnation, layer, grid });
    stores.push(store);
    return { store, schema: read, schemaOf: await storedSchemas(store, read) };
  };
  try {
    const own = await opened(schema);
    const others = await Promise.all(schemas.filter((each) => each !== schema).map(opened));
    const progress = (cells: number, total: number): void =>
      output.live([`  looking for descendants: ${cells} of ${total} cells`]);
    const options = { ...own, others, grid, of, progress };
    // Its cells take the posts, and hand on what is for other layers.
    return await work({ store: own.store, descendants: await findDescendants(options) });
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}
