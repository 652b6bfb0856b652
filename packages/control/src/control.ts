/**
 * The control-plane records in Redis, each a hash that is read and written whole, by id. They are
 * cold: tools read them, and whoever starts. Whoever writes one last has written it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { createClient } from 'redis';
import { type Entity, type EntityData, Repository, Schema } from 'redis-om';
import type { AppliedLayer, AppliedWorld, PrefabIndex, PrefabVersion } from './records.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** One hash per id; `redis-om` puts the name of the schema before it: `leasehold:world:flights`. */
const WORLDS = new Schema(
  'leasehold:world',
  {
    world: { type: 'string' },
    incarnation: { type: 'number' },
    manifest: { type: 'string' },
    manifestHash: { type: 'string' },
    folder: { type: 'string' },
    moduleVersion: { type: 'string' },
    moduleCommit: { type: 'string' },
    appliedAt: { type: 'string' },
  },
  { dataStructure: 'HASH' },
);
const LAYERS = new Schema(
  'leasehold:layer',
  {
    world: { type: 'string' },
    layer: { type: 'string' },
    components: { type: 'string[]' },
    schemaHash: { type: 'string' },
    schema: { type: 'string' },
  },
  { dataStructure: 'HASH' },
);
const PREFABS = new Schema(
  'leasehold:prefabs',
  {
    world: { type: 'string' },
    repository: { type: 'string' },
    folder: { type: 'string' },
    ref: { type: 'string' },
    versions: { type: 'string' },
  },
  { dataStructure: 'HASH' },
);

export interface Control {
  world(world: string): Promise<AppliedWorld | undefined>;
  /** Keeps the record and those of its layers; layers that it has no more are forgotten. */
  putWorld(record: AppliedWorld, layers: readonly AppliedLayer[]): Promise<void>;
  layer(world: string, layer: string): Promise<AppliedLayer | undefined>;
  prefabs(world: string): Promise<PrefabIndex | undefined>;
  putPrefabs(index: PrefabIndex): Promise<void>;
  /** Removes all records of a world. */
  forget(world: string): Promise<void>;
  close(): Promise<void>;
}

/** Connects. Errors: `REDIS_UNREACHABLE`; those of the connection afterwards. */
export async function openControl(url: string): Promise<Control> {
  const client = createClient({
    url,
    // A record that cannot be written now is asked for again by a person.
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
  // Each call that fails rejects by itself; without a listener the process would end.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    throw unreachable(url, cause);
  }
  return new RedisControl(
    new Repository(WORLDS, client),
    new Repository(LAYERS, client),
    new Repository(PREFABS, client),
    async () => {
      if (client.isOpen) await client.quit();
    },
  );
}

type WorldRow = Omit<AppliedWorld, 'manifest'> & { readonly manifest: string };
type PrefabRow = Omit<PrefabIndex, 'versions'> & { readonly versions: string };

class RedisControl implements Control {
  readonly close: () => Promise<void>;
  readonly #worlds: Repository<Entity>;
  readonly #layers: Repository<Entity>;
  readonly #prefabs: Repository<Entity>;

  constructor(
    worlds: Repository<Entity>,
    layers: Repository<Entity>,
    prefabs: Repository<Entity>,
    close: () => Promise<void>,
  ) {
    this.#worlds = worlds;
    this.#layers = layers;
    this.#prefabs = prefabs;
    this.close = close;
  }

  async world(world: string): Promise<AppliedWorld | undefined> {
    const row = await rowOf<WorldRow>(this.#worlds, world, 'manifest');
    if (row === undefined) return undefined;
    return { ...row, manifest: parsed<AppliedWorld['manifest']>(world, row.manifest) };
  }

  async putWorld(record: AppliedWorld, layers: readonly AppliedLayer[]): Promise<void> {
    const { world } = record;
    const before = layerNames(await this.world(world));
    for (const layer of layers) {
      await this.#layers.save(layerId(world, layer.layer), layer as unknown as EntityData);
    }
    const row: WorldRow = { ...record, manifest: JSON.stringify(record.manifest) };
    await this.#worlds.save(world, row as unknown as EntityData);
    const kept = new Set(layers.map(({ layer }) => layer));
    const gone = before.filter((layer) => !kept.has(layer));
    if (gone.length > 0) await this.#layers.remove(gone.map((layer) => layerId(world, layer)));
  }

  layer(world: string, layer: string): Promise<AppliedLayer | undefined> {
    return rowOf<AppliedLayer>(this.#layers, layerId(world, layer), 'schema');
  }

  async prefabs(world: string): Promise<PrefabIndex | undefined> {
    const row = await rowOf<PrefabRow>(this.#prefabs, world, 'versions');
    if (row === undefined) return undefined;
    return { ...row, versions: parsed<readonly PrefabVersion[]>(world, row.versions) };
  }

  async putPrefabs(index: PrefabIndex): Promise<void> {
    const row: PrefabRow = { ...index, versions: JSON.stringify(index.versions) };
    await this.#prefabs.save(index.world, row as unknown as EntityData);
  }

  async forget(world: string): Promise<void> {
    const layers = layerNames(await this.world(world));
    if (layers.length > 0) await this.#layers.remove(layers.map((name) => layerId(world, name)));
    await this.#prefabs.remove(world);
    await this.#worlds.remove(world);
  }
}

/** No name has a dot. */
const layerId = (world: string, layer: string): string => `${world}.${layer}`;

const layerNames = (record: AppliedWorld | undefined): string[] =>
  Object.keys((record?.manifest['layers'] as object | undefined) ?? {});

/** Undefined when there is no such hash: `redis-om` answers one without fields. */
async function rowOf<T extends object>(
  repository: Repository<Entity>,
  id: string,
  field: keyof T & string,
): Promise<T | undefined> {
  // What it adds of its own is under symbols, which are no entries.
  const row = Object.fromEntries(Object.entries(await repository.fetch(id)));
  return row[field] === undefined ? undefined : (row as unknown as T);
}

function parsed<T>(world: string, json: string): T {
  try {
    return JSON.parse(json) as T;
  } catch (cause) {
    const message = `the record of world ${world} in Redis is damaged`;
    const remedy = 'Write it anew with leasehold world apply FOLDER.';
    throw new LeaseholdError(
      'BODY_MALFORMED',
      message,
      { field: 'world', value: world, remedy },
      { cause },
    );
  }
}

function unreachable(url: string, cause: unknown): LeaseholdError {
  const { host } = URL.canParse(url) ? new URL(url) : { host: url };
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LeaseholdError(
    'REDIS_UNREACHABLE',
    `the records of worlds cannot be read at ${host}: ${reason}`,
    { field: 'REDIS_URL', value: host, remedy: 'Start Redis there, or set REDIS_URL.' },
    { cause },
  );
}
