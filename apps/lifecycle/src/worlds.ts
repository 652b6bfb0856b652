/**
 * The worlds of a registry, each opened when it is first asked for, from what the registry and the
 * store know of it: no folder, no module. A world that began a new incarnation is opened again.
 */
import { checkName, LeaseholdError } from '@leasehold/kernel';
import {
  type LiveRecords,
  type LiveStore,
  openLiveRecords,
  openLiveStore,
} from '@leasehold/live-store';
import {
  type ComponentSchema,
  isOwnComponent,
  type LayerSchema,
  ownSchema,
  parseSchema,
  type Registry,
  type RegistryRecord,
  type SchemaResolver,
} from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { coldStoreOf, knownOf } from '@leasehold/world';

/** One layer of a world: its store, and what its rows are made of. */
export type OpenLayer = {
  readonly layer: string;
  readonly store: LiveStore;
  /** Of its rows, with copies of components of other layers and what is the engine's. */
  readonly schema: LayerSchema;
  /** What of it is told and taken: its own components. */
  readonly own: LayerSchema;
  /** Schemas that older bodies may be written in. */
  readonly older: SchemaResolver;
  /** Component and fields that say where a row is; undefined: another layer has it, or none. */
  readonly spatial: SpatialFields | undefined;
};

export type SpatialFields = {
  readonly component: number;
  readonly x: number;
  readonly y: number;
  /** Name of the component, and of its fields. */
  readonly name: string;
  readonly xName: string;
  readonly yName: string;
};

export type OpenWorld = {
  readonly world: string;
  readonly incarnation: number;
  readonly grid: Grid;
  /** The layer that says who lives and where comes first: requests go to its inboxes. */
  readonly layers: readonly [OpenLayer, ...OpenLayer[]];
  /** Of all layers: each component once, in the layer that has it. */
  readonly components: readonly ComponentSchema[];
  /** Another one as soon as the schema of any layer is another one. */
  readonly schemaMark: string;
  readonly records: LiveRecords;
  close(): Promise<void>;
};

export type WorldsOptions = {
  readonly registry: Registry;
  readonly redisUrl: string;
  readonly library: string;
  /** PostgreSQL in which cells sleep; '' = none. */
  readonly snapshotsUrl: string;
  readonly nowMs: () => number;
};

/** The registry is a file, or a table: it is asked at most so often for each world. */
const REGISTRY_READ_MS = 1_000;
/** Open worlds hold some connections each. */
const WORLDS_MAX = 64;

type Kept = { readonly opening: Promise<OpenWorld>; readonly mark: string; checkedAtMs: number };

export class Worlds {
  readonly #options: WorldsOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: WorldsOptions) {
    this.#options = options;
  }

  get registry(): Registry {
    return this.#options.registry;
  }

  get openCount(): number {
    return this.#kept.size;
  }

  /** Errors: `NAME_INVALID`, `WORLD_UNKNOWN`, `WORLD_NOT_READY`, `REDIS_UNREACHABLE`. */
  async open(name: string): Promise<OpenWorld> {
    checkName('world', name);
    const nowMs = this.#options.nowMs();
    const kept = this.#kept.get(name);
    if (kept !== undefined && nowMs - kept.checkedAtMs < REGISTRY_READ_MS) return kept.opening;
    const record = await this.#recordOf(name);
    const mark = `${record.incarnation} ${[...schemasOf(record).values()].join(' ')}`;
    // Another request may have opened it meanwhile.
    const now = this.#kept.get(name);
    if (now?.mark === mark) {
      now.checkedAtMs = nowMs;
      return now.opening;
    }
    if (now === undefined && this.#kept.size >= WORLDS_MAX) throw tooMany(name);
    const opening = this.#opened(record);
    this.#kept.set(name, { opening, mark, checkedAtMs: nowMs });
    now?.opening.then((old) => old.close()).catch(() => undefined);
    opening.catch(() => {
      if (this.#kept.get(name)?.opening === opening) this.#kept.delete(name);
    });
    return opening;
  }

  async close(): Promise<void> {
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.allSettled(kept.map(async ({ opening }) => (await opening).close()));
  }

  async #recordOf(name: string): Promise<RegistryRecord> {
    const record = await this.registry.read(name);
    if (record?.state === 'ready') return record;
    if (record === undefined) {
      throw new LeaseholdError('WORLD_UNKNOWN', `no world is called ${name}`, {
        field: 'world',
        value: name,
        remedy: 'GET /v1/worlds lists those that are here.',
      });
    }
    throw new LeaseholdError('WORLD_NOT_READY', `${name} is being seeded`, {
      field: 'world',
      value: name,
      remedy: 'Ask again in a moment.',
    });
  }

  async #opened(record: RegistryRecord): Promise<OpenWorld> {
    const known = knownOf(record);
    if (known === undefined) {
      throw new LeaseholdError(
        'WORLD_NOT_READY',
        `${record.world} was seeded by an older version`,
        {
          field: 'world',
          value: record.world,
          remedy: 'Run it once with this version, which notes how it is cut into cells.',
        },
      );
    }
    const { redisUrl: url, library, snapshotsUrl } = this.#options;
    const { world, incarnation, grid } = known;
    const place = { url, world, incarnation, grid, ...(library === '' ? {} : { library }) };
    const opened: { close(): Promise<void> }[] = [];
    const close = async (): Promise<void> => {
      await Promise.all(opened.map((each) => each.close()));
    };
    try {
      const layers: OpenLayer[] = [];
      for (const [layer, schemaHash] of schemasOf({ ...record, layer: known.layer })) {
        const facts = { url: snapshotsUrl, world, incarnation, layer, layers: [layer] };
        const store = await openLiveStore({ ...place, ...coldStoreOf(facts), layer });
        opened.push(store);
        layers.push(await openLayer(store, schemaHash));
      }
      const records = await openLiveRecords({ ...place, layer: known.layer });
      opened.push(records);
      const components = layers.flatMap(({ own }) => own.components);
      const schemaMark = layers.map(({ schema }) => schema.hash).join(' ');
      const [home, ...others] = layers as [OpenLayer, ...OpenLayer[]];
      const facts = { components, schemaMark, records, close };
      return { world, incarnation, grid, layers: [home, ...others], ...facts };
    } catch (error) {
      await close();
      throw error;
    }
  }
}

/** Hashes of the schemas of all layers by name, that of the one that says who lives first. */
function schemasOf({ layer = '', schemaHash, others = {} }: RegistryRecord): Map<string, string> {
  return new Map([[layer, schemaHash], ...Object.entries(others)]);
}

async function openLayer(store: LiveStore, schemaHash: string): Promise<OpenLayer> {
  const known = new Map<string, LayerSchema>();
  for (const [hash, json] of await store.schemas()) known.set(hash, parseSchema(json));
  const schema = known.get(schemaHash);
  if (schema === undefined) {
    throw new LeaseholdError('WORLD_NOT_READY', `the store lacks the schema of ${store.world}`, {
      field: 'world',
      value: store.world,
      remedy: 'Redis lost the world, or the registry is of another one: run leasehold doctor.',
    });
  }
  const older: SchemaResolver = (hash) => known.get(hash);
  const spatial = spatialOf(schema);
  return { layer: store.layer, store, schema, own: ownSchema(schema), older, spatial };
}

function spatialOf(schema: LayerSchema): SpatialFields | undefined {
  for (const [component, each] of schema.components.entries()) {
    const { name, spatial, fields } = each;
    if (spatial === undefined || !isOwnComponent(each)) continue;
    const [xName, yName] = spatial;
    const at = (of: string): number => fields.findIndex((field) => field.name === of);
    return { component, x: at(xName), y: at(yName), name, xName, yName };
  }
  return undefined;
}

function tooMany(name: string): LeaseholdError {
  return new LeaseholdError('LIMIT_EXCEEDED', `${WORLDS_MAX} worlds are open here already`, {
    field: 'world',
    value: name,
    remedy: 'Ask another replica, or start this one again.',
  });
}
