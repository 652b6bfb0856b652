/**
 * From a folder to a world in Redis that pods can run: everything is checked before anything is
 * started, and what is stored is only ever replaced when that was asked for.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { checkName, Hasher, LeaseholdError } from '@leasehold/kernel';
import {
  type LiveWorldAdmin,
  openLiveStore,
  openWorldAdmin,
  type PreflightReport,
  preflight,
  type SeedProgress,
  type SeedResult,
  seedWorld,
} from '@leasehold/live-store';
import { type PodRecord, type Registry, type Store, schemaJson } from '@leasehold/protocol';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { openServers, type Servers } from '@leasehold/servers';
import { coldStoreOf, type LoadedWorld, loadWorld } from '@leasehold/world';
import type { Output } from './output.ts';
import { coldUrlOf, commandRegistry, type RegistryFlags } from './registry.ts';
import { recordApplied } from './world/record.ts';

export type WorldRequest = RegistryFlags & {
  readonly folder: string;
  /** Lockstep whatever the manifest says, in a stored world of its own that always begins anew. */
  readonly isLockstep: boolean;
  /** −1 = the manifest's. */
  readonly seed: number;
  readonly isFresh: boolean;
};

export type CheckedWorld = {
  readonly loaded: LoadedWorld;
  /** Of the layer that says who lives and where. */
  readonly engine: Engine;
  /** Name of the stored world. */
  readonly name: string;
  readonly layer: string;
  /** Of all its layers, that one first. */
  readonly engines: readonly Engine[];
  readonly mode: 'realtime' | 'lockstep';
  readonly seed: number;
};

export type StoredWorld = CheckedWorld & {
  readonly incarnation: number;
  readonly isContinued: boolean;
  readonly redisUrl: string;
  readonly redisKind: string;
  readonly store: Store;
  /** One for each layer, in the order of `engines`; `store` is the first. */
  readonly stores: readonly Store[];
  readonly admin: LiveWorldAdmin;
  readonly registry: Registry;
  close(): Promise<void>;
};

/** Names of the world's layers, that which says who lives and where first. */
export const layersOf = ({ engines }: Pick<CheckedWorld, 'engines'>): string[] =>
  engines.map(({ schema }) => schema.layer);

/** Those of all layers. */
export async function podsOf({ stores }: Pick<StoredWorld, 'stores'>): Promise<PodRecord[]> {
  return (await Promise.all(stores.map((store) => store.pods()))).flat();
}

/** How long pods of an earlier run may take to be gone before they count as another run. */
const LEAVING_MS = 4_000;

/** Loads the folder and compiles its systems. Nothing is started, nothing is written. */
export async function checkWorld(request: WorldRequest): Promise<CheckedWorld> {
  const loaded = await loadWorld(request.folder);
  const { manifest, simulation, grid } = loaded;
  const name = checkName(
    'world',
    request.isLockstep ? `${manifest.world}-lockstep` : manifest.world,
  );
  const seed = request.seed >= 0 ? request.seed : manifest.seed;
  const { tickHz, params } = manifest;
  const { layers } = manifest;
  const all = Object.keys(layers).map((layer) =>
    compile(simulation, { layer, grid, seed, tickHz, params, layers }),
  );
  const engine = all.find(({ layer, home }) => layer === home) as Engine;
  const engines = [engine, ...all.filter((other) => other !== engine)];
  const mode = request.isLockstep ? 'lockstep' : manifest.mode;
  return { loaded, engine, engines, name, layer: engine.schema.layer, mode, seed };
}

/** Finds Redis, checks it, and makes sure that the world is in it: gone on with, or seeded. */
export async function openStoredWorld(
  request: WorldRequest,
  checked: CheckedWorld,
  output: Output,
  open: typeof openCheckedServers = openCheckedServers,
): Promise<StoredWorld> {
  const servers = await open(request.home, output);
  try {
    return await storedWorld(request, checked, servers, output);
  } catch (error) {
    await servers.close();
    throw error;
  }
}

/** A Redis that a world may live in; says which promises it cannot keep. */
export async function openCheckedServers(home: string, output: Output): Promise<Servers> {
  const log = (line: string): void => output.progress(line);
  const servers = await openServers({ home, log, allowEmbedded: true });
  try {
    sayVoids(await preflight(servers.redisUrl), output);
    return servers;
  } catch (error) {
    await servers.close();
    throw error;
  }
}

function sayVoids(report: PreflightReport, output: Output): void {
  const voids = report.promises.filter(({ holds }) => !holds).length;
  const said =
    voids === 0
      ? ''
      : `; it cannot keep ${voids} of ${report.promises.length} promises: see leasehold doctor`;
  output.progress(`Redis ${report.version} at ${report.url}${said}`);
}

async function storedWorld(
  request: WorldRequest,
  checked: CheckedWorld,
  servers: Servers,
  output: Output,
): Promise<StoredWorld> {
  const { name } = checked;
  const { redisUrl } = servers;
  const coldUrl = coldUrlOf(request);
  const registry = await commandRegistry(request, output);
  const before = await registry.read(name);
  if (before?.state === 'ready') await expectIdle(checked, redisUrl, before.incarnation);
  const { record, isNew } = await ensureWorld(request, checked, { registry, redisUrl }, output);
  const { incarnation } = record;
  await recordApplied(checked, incarnation, redisUrl);
  output.progress(
    isNew
      ? `${name} is seeded: incarnation ${incarnation}`
      : `${name} goes on where Redis kept it: incarnation ${incarnation} (--fresh begins anew)`,
  );
  const admin = await openWorldAdmin(optionsOf(checked, redisUrl, incarnation));
  const stores = await Promise.all(
    checked.engines.map(({ schema: { layer } }) =>
      openLiveStore({
        ...optionsOf(checked, redisUrl, incarnation, layer),
        ...coldStoreOf({ ...optionsOf(checked, coldUrl, incarnation, layer) }),
      }),
    ),
  );
  const store = stores[0] as Store;
  const close = async (): Promise<void> => {
    await Promise.all(stores.map((each) => each.close()));
    await admin.close();
    await servers.close();
  };
  const found = { incarnation, isContinued: !isNew, redisUrl, redisKind: servers.kind };
  return { ...checked, ...found, store, stores, admin, registry, close };
}

/** The world is in Redis: found there and agreed with, or seeded. Errors: those of `seedWorld`. */
export function ensureWorld(
  { isFresh, isLockstep }: Pick<WorldRequest, 'isFresh' | 'isLockstep'>,
  checked: CheckedWorld,
  { registry, redisUrl }: { readonly registry: Registry; readonly redisUrl: string },
  output: Output,
): Promise<SeedResult> {
  const { name, engine, engines, loaded } = checked;
  return seedWorld({
    registry,
    openAdmin: (incarnation, layer) =>
      openWorldAdmin(optionsOf(checked, redisUrl, incarnation, layer)),
    facts: factsOf(checked),
    others: engines.slice(1).map((other) => ({
      layer: other.schema.layer,
      schemaHash: other.schema.hash,
      schemaJson: schemaJson(other.schema),
      cells: () => other.seed(),
    })),
    blocks: loaded.grid.blocks,
    cells: () => engine.seed(),
    fresh: isFresh || isLockstep,
    progress: (progress) => saySeeding(name, progress, output),
  });
}

function saySeeding(name: string, { phase, cells, cellsTotal }: SeedProgress, output: Output) {
  if (phase === 'writing') output.live([`  seeding ${name}: ${cells} of ${cellsTotal} cells`]);
  if (phase === 'forgetting') output.progress(`forgetting what ${name} was before`);
}

function optionsOf(
  checked: CheckedWorld,
  url: string,
  incarnation: number,
  layer: string = checked.layer,
) {
  const { name: world, engine } = checked;
  return { url, world, incarnation, layer, layers: engine.layers, grid: checked.loaded.grid };
}

/** Two runs of one world would set each other's clock. */
async function expectIdle(checked: CheckedWorld, url: string, incarnation: number): Promise<void> {
  const stores = await Promise.all(
    checked.engines.map(({ schema: { layer } }) =>
      openLiveStore(optionsOf(checked, url, incarnation, layer)),
    ),
  );
  try {
    const deadlineMs = performance.now() + LEAVING_MS;
    for (;;) {
      const connected = new Set<string>();
      for (const store of stores) {
        const names = (await store.pods()).map(({ pod }) => pod);
        for (const pod of await store.connected(names)) connected.add(pod);
      }
      if (connected.size === 0) return;
      if (performance.now() > deadlineMs) {
        const value = [...connected].join(', ');
        const message = `${checked.name} is being run already, by ${value}`;
        throw new LeaseholdError('WORLD_MISMATCH', message, {
          field: 'world',
          value,
          remedy: 'End that run first, or give this folder another world name.',
        });
      }
      await sleep(100);
    }
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

/** What the stored world depends on, by the manifest's names. */
function fixedSettings({ loaded, seed }: CheckedWorld): Record<string, string | number> {
  const { space, blockCells, layers } = loaded.manifest;
  const names = Object.keys(layers);
  const spaceSettings = Object.entries(space).map(([key, value]) => [`space.${key}`, value]);
  // One alone has no place among others, and was not noted by older versions.
  const fixedLayers = names.length > 1 ? { layers: names.join(', ') } : {};
  return { ...Object.fromEntries(spaceSettings), blockCells, ...fixedLayers, seed };
}

function factsOf(checked: CheckedWorld) {
  const { loaded, engine, seed, name } = checked;
  const { manifestHash, manifest } = loaded;
  return {
    world: name,
    schemaHash: engine.schema.hash,
    schemaJson: schemaJson(engine.schema),
    // A seed given by a flag makes another world than the manifest's.
    manifestHash:
      seed === manifest.seed ? manifestHash : new Hasher().text(manifestHash).u32(seed).hex(),
    fixed: fixedSettings(checked),
    layer: checked.layer,
  };
}
