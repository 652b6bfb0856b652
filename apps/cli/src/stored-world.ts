/**
 * From a folder to a world in Redis that pods can run: everything is checked before anything is
 * started, and what is stored is only ever replaced when that was asked for.
 */
import { checkName, LeaseholdError } from '@leasehold/kernel';
import {
  fileRegistry,
  type LiveWorldAdmin,
  openLiveStore,
  openWorldAdmin,
  type PreflightReport,
  preflight,
  type Registry,
  type RegistryRecord,
} from '@leasehold/live-store';
import {
  type CellSeed,
  entryHash,
  type LayerSchema,
  parseSchema,
  planMigration,
  type Store,
  SEED_EPOCH,
  schemaJson,
} from '@leasehold/protocol';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { openServers, type Servers } from '@leasehold/servers';
import { type LoadedWorld, loadWorld } from '@leasehold/world';
import type { Output } from './output.ts';

export type WorldRequest = {
  readonly folder: string;
  readonly home: string;
  /** Lockstep whatever the manifest says, in a stored world of its own that always begins anew. */
  readonly isLockstep: boolean;
  /** −1 = the manifest's. */
  readonly seed: number;
  readonly isFresh: boolean;
};

export type CheckedWorld = {
  readonly loaded: LoadedWorld;
  readonly engine: Engine;
  /** Name of the stored world. */
  readonly name: string;
  readonly layer: string;
  readonly mode: 'realtime' | 'lockstep';
  readonly seed: number;
};

export type StoredWorld = CheckedWorld & {
  readonly incarnation: number;
  readonly isContinued: boolean;
  readonly redisUrl: string;
  readonly redisKind: string;
  readonly store: Store;
  readonly admin: LiveWorldAdmin;
  close(): Promise<void>;
};

/** How long pods of an earlier run may take to be gone before they count as another run. */
const LEAVING_MS = 4_000;

/** Loads the folder and compiles its systems. Nothing is started, nothing is written. */
export async function checkWorld(request: WorldRequest): Promise<CheckedWorld> {
  const loaded = await loadWorld(request.folder);
  const { manifest, simulation, grid } = loaded;
  const [layer, ...others] = Object.keys(manifest.layers);
  if (layer === undefined || others.length > 0) {
    const value = Object.keys(manifest.layers).join(', ');
    throw new LeaseholdError('LIMIT_EXCEEDED', `${manifest.world} has layers ${value}`, {
      field: 'layers',
      value,
      remedy: 'Put all components into one layer; this version runs one.',
    });
  }
  const name = checkName(
    'world',
    request.isLockstep ? `${manifest.world}-lockstep` : manifest.world,
  );
  const seed = request.seed >= 0 ? request.seed : manifest.seed;
  const { tickHz, params } = manifest;
  const components = manifest.layers[layer] ?? [];
  const engine = compile(simulation, { layer, grid, seed, tickHz, params, components });
  const mode = request.isLockstep ? 'lockstep' : manifest.mode;
  return { loaded, engine, name, layer, mode, seed };
}

/** Finds Redis, checks it, and makes sure that the world is in it: gone on with, or seeded. */
export async function openStoredWorld(
  request: WorldRequest,
  checked: CheckedWorld,
  output: Output,
): Promise<StoredWorld> {
  const servers = await openCheckedServers(request.home, output);
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
  output.progress(`Redis ${report.version} at ${report.url}`);
  for (const line of report.voids) output.progress(`not promised: ${line}`);
}

async function storedWorld(
  request: WorldRequest,
  checked: CheckedWorld,
  servers: Servers,
  output: Output,
): Promise<StoredWorld> {
  const { name } = checked;
  const { redisUrl } = servers;
  const registry = fileRegistry(request.home);
  const before = await registry.read(name);
  const isReady = before?.state === 'ready';
  if (isReady) await expectIdle(checked, redisUrl, before.incarnation);
  const isContinued = isReady && !request.isFresh && !request.isLockstep;
  const record = isContinued
    ? await goneOnWith(checked, redisUrl, registry, before)
    : await seeded(checked, redisUrl, registry, isReady ? before : undefined);
  const { incarnation } = record;
  output.progress(
    isContinued
      ? `${name} goes on where Redis kept it: incarnation ${incarnation} (--fresh begins anew)`
      : `${name} is seeded: incarnation ${incarnation}`,
  );
  const admin = await openWorldAdmin(optionsOf(checked, redisUrl, incarnation));
  const store = await openLiveStore(optionsOf(checked, redisUrl, incarnation));
  await forgetLeftovers(checked, redisUrl, registry);
  const close = async (): Promise<void> => {
    await store.close();
    await admin.close();
    await servers.close();
  };
  const redisKind = servers.kind;
  return { ...checked, incarnation, isContinued, redisUrl, redisKind, store, admin, close };
}

function optionsOf(checked: CheckedWorld, url: string, incarnation: number) {
  const { name: world, layer } = checked;
  return { url, world, incarnation, layer, grid: checked.loaded.grid };
}

/** Two runs of one world would set each other's clock. */
async function expectIdle(checked: CheckedWorld, url: string, incarnation: number): Promise<void> {
  const store = await openLiveStore(optionsOf(checked, url, incarnation));
  try {
    const deadlineMs = performance.now() + LEAVING_MS;
    for (;;) {
      const names = (await store.pods()).map(({ pod }) => pod);
      const connected = await store.connected(names);
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
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await store.close();
  }
}

/** What the stored world depends on, by the manifest's names. */
function fixedSettings({ loaded, seed }: CheckedWorld): Record<string, string | number> {
  const { space, blockCells } = loaded.manifest;
  const spaceSettings = Object.entries(space).map(([key, value]) => [`space.${key}`, value]);
  return { ...Object.fromEntries(spaceSettings), blockCells, seed };
}

function factsOf(checked: CheckedWorld) {
  return {
    schemaHash: checked.engine.schema.hash,
    manifestHash: checked.loaded.manifestHash,
    fixed: fixedSettings(checked),
  };
}

/** Checks that the stored world is this one, and can be read by this module. */
async function goneOnWith(
  checked: CheckedWorld,
  url: string,
  registry: Registry,
  record: RegistryRecord,
): Promise<RegistryRecord> {
  const { name } = checked;
  const { schema } = checked.engine;
  expectSameSettings(checked, record);
  const admin = await openWorldAdmin(optionsOf(checked, url, record.incarnation));
  try {
    const { present, sealed } = await admin.blocks();
    if (present === 0 || sealed > 0) {
      const state = sealed > 0 ? 'sealed' : 'not there';
      const value = `incarnation ${record.incarnation}`;
      throw new LeaseholdError('INCARNATION_MISMATCH', `${name}, ${value}, is ${state} in Redis`, {
        field: 'world',
        value,
        remedy: 'Point REDIS_URL to the Redis that keeps it, or begin anew with --fresh.',
      });
    }
    if (record.schemaHash !== schema.hash) {
      planMigration(await storedSchema(admin, record), schema);
      await admin.putSchema(schema.hash, schemaJson(schema));
      await registry.migrated(name, record.incarnation, schema.hash);
    }
  } finally {
    await admin.close();
  }
  return record;
}

function expectSameSettings(checked: CheckedWorld, record: RegistryRecord): void {
  const now = fixedSettings(checked);
  const before = record.fixed ?? {};
  const names = new Set([...Object.keys(now), ...Object.keys(before)]);
  const changed = [...names].find((name) => now[name] !== before[name]);
  if (changed === undefined && record.manifestHash === checked.loaded.manifestHash) return;
  const field = changed ?? 'world.yaml';
  const value = `${before[field] ?? 'another value'} is stored, ${now[field] ?? 'this'} is wanted`;
  throw new LeaseholdError('WORLD_MISMATCH', `${checked.name}: ${field} cannot change: ${value}`, {
    field,
    value,
    remedy: 'Put the stored value back, name another world, or begin anew with --fresh.',
  });
}

async function storedSchema(admin: LiveWorldAdmin, record: RegistryRecord): Promise<LayerSchema> {
  const json = await admin.getSchema(record.schemaHash);
  if (json !== undefined) return parseSchema(json);
  throw new LeaseholdError('SCHEMA_INCOMPATIBLE', 'the schema of the stored world is gone', {
    field: 'schema',
    value: record.schemaHash,
    remedy: 'Begin anew with --fresh: what is stored cannot be read.',
  });
}

async function seeded(
  checked: CheckedWorld,
  url: string,
  registry: Registry,
  replaced: RegistryRecord | undefined,
): Promise<RegistryRecord> {
  const stored = async (): Promise<number> => {
    const admin = await openWorldAdmin(optionsOf(checked, url, 1));
    try {
      return (await admin.incarnations()).at(-1) ?? 0;
    } finally {
      await admin.close();
    }
  };
  const work = async (incarnation: number): Promise<{ readonly redisRunId: string }> => {
    const admin = await openWorldAdmin(optionsOf(checked, url, incarnation));
    try {
      await seed(admin, checked.engine);
      return { redisRunId: await admin.runId() };
    } finally {
      await admin.close();
    }
  };
  const replaces = replaced === undefined ? {} : { replaces: replaced.incarnation };
  return registry.seed(checked.name, factsOf(checked), work, { stored, ...replaces });
}

/** Blocks, schema and every cell's entry 1; repeating it changes nothing. */
async function seed(admin: LiveWorldAdmin, engine: Engine): Promise<void> {
  const commits = await engine.seed();
  await admin.createBlocks();
  await admin.putSchema(engine.schema.hash, schemaJson(engine.schema));
  const cells: CellSeed[] = [...commits].map(([cell, { body, idCounter }]) => {
    return { cell, hash: entryHash('', 1, SEED_EPOCH, 0, body), body, idCounter };
  });
  const replies = await admin.createCells(cells);
  const failed = replies.find(({ tag }) => tag !== 'OK' && tag !== 'ALREADY');
  if (failed === undefined) return;
  const value = 'message' in failed ? `${failed.tag}: ${failed.message}` : failed.tag;
  throw new LeaseholdError('WORLD_NOT_READY', `the world cannot be seeded: ${value}`, {
    field: 'seed',
    value,
    remedy: 'Mend what Redis says and run again; the seeding goes on where it stopped.',
  });
}

/** Removes what earlier incarnations left in the store. */
async function forgetLeftovers(
  checked: CheckedWorld,
  url: string,
  registry: Registry,
): Promise<void> {
  for (const incarnation of await registry.leftovers(checked.name)) {
    const admin = await openWorldAdmin(optionsOf(checked, url, incarnation));
    try {
      await admin.forget();
    } finally {
      await admin.close();
    }
    await registry.forgotten(checked.name, incarnation);
  }
}
