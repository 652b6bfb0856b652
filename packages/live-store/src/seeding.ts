/**
 * Creates a world exactly once, or finds the one that is there and makes sure that registry, store
 * and manifest speak of the same. Never touches a world that it does not agree with.
 */
import { Hasher } from '@leasehold/kernel';
import {
  type CellSeed,
  type CellSeedReply,
  entryHash,
  parseSchema,
  planMigration,
  type Registry,
  type RegistryFacts,
  type RegistryRecord,
  SEED_EPOCH,
  type WorldAdmin,
} from '@leasehold/protocol';
import {
  blocksMissing,
  cellRefused,
  manifestDiffers,
  registryMissing,
  schemaMissing,
} from './seeding-faults.ts';

/** Cells between two signs of progress. */
const CELLS_PER_STEP = 256;
/** A network fault on the way is repeated this often, with a pause that grows to a second. */
const ATTEMPTS_MAX = 6;

/** Entry 1 of a cell, as `Engine.seed` makes it: its hash is computed here. */
export type CellBirth = {
  readonly body: Uint8Array;
  readonly idCounter: number;
  /** Entities in it. */
  readonly count: number;
};

type Births = ReadonlyMap<number, CellBirth>;

/** A layer besides the first: what is in it, and how it is written. */
export type OtherLayer = {
  readonly layer: string;
  readonly schemaHash: string;
  readonly schemaJson: string;
  readonly cells: () => Promise<Births>;
};

export type SeedFacts = Omit<RegistryFacts, 'others'> & {
  readonly world: string;
  readonly schemaJson: string;
};

export type SeedProgress = {
  readonly phase: 'computing' | 'writing' | 'forgetting';
  readonly cells: number;
  readonly cellsTotal: number;
};

export type SeedOptions = {
  readonly registry: Registry;
  /**
   * Opens the store's admin side for one incarnation of this world, for the layer of `facts` if no
   * other is named; `seedWorld` closes it.
   */
  readonly openAdmin: (incarnation: number, layer?: string) => Promise<WorldAdmin>;
  readonly facts: SeedFacts;
  /** The world's other layers; all are ready together, or none. */
  readonly others?: readonly OtherLayer[];
  /** Blocks of the grid, all of which must be there in a ready world. */
  readonly blocks: number;
  /** Called once, and only when there is a world to make. */
  readonly cells: () => Promise<Births>;
  /** Replace what is there by a new incarnation, and forget it. */
  readonly fresh: boolean;
  readonly progress?: (progress: SeedProgress) => void;
  /** For pauses between attempts. */
  readonly sleep?: (ms: number) => Promise<void>;
};

export type SeedResult = {
  readonly record: RegistryRecord;
  /** Whether this very call did the work. */
  readonly isNew: boolean;
  /** What this call wrote; 0 when the world was there. */
  readonly cells: number;
  readonly entities: number;
};

/**
 * Resolves when the world is ready. Throws, with the stored world as it was:
 * `WORLD_MISMATCH` when its fixed settings differ, or a cell has another content;
 * `SCHEMA_INCOMPATIBLE` when its state cannot be read by this schema;
 * `INCARNATION_MISMATCH` when registry and store disagree;
 * `LIMIT_EXCEEDED`, `REDIS_REFUSED`, `REDIS_UNREACHABLE` when the store does not take a cell.
 */
export async function seedWorld(options: SeedOptions): Promise<SeedResult> {
  const { registry, facts, fresh } = options;
  const { world, schemaHash, manifestHash, fixed, layer } = facts;
  const others = othersOf(options);
  const before = await registry.read(world);
  const strays: number[] = [];
  let births: readonly Births[] = [];
  let written: Written | undefined;
  const record = await registry.seed(
    world,
    {
      ...{ schemaHash, manifestHash, ...others },
      ...(fixed === undefined ? {} : { fixed }),
      ...(layer === undefined ? {} : { layer }),
    },
    async (incarnation) => {
      written = await writeLayers(options, births, incarnation);
      return { redisRunId: written.runId };
    },
    {
      ...(fresh && before ? { replaces: before.incarnation } : {}),
      fingerprint: async () => {
        // Before anything is noted or written, so that a module that fails leaves nothing.
        options.progress?.({ phase: 'computing', cells: 0, cellsTotal: 0 });
        births = await birthsOf(options);
        return fingerprintOf(births);
      },
      stored: async () => {
        strays.push(...(await withAdmin(options, 1, (admin) => admin.incarnations())));
        if (strays.length > 0 && !fresh) throw registryMissing(world, strays);
        return Math.max(0, ...strays);
      },
    },
  );
  if (written === undefined) await agree(options, record);
  await forget(options, strays);
  const counts = written ?? { cells: 0, entities: 0 };
  return { record, isNew: written !== undefined, cells: counts.cells, entities: counts.entities };
}

/** Of all layers, that of `facts` first. */
async function birthsOf({ cells, others = [] }: SeedOptions): Promise<Births[]> {
  const births = [await cells()];
  for (const other of others) births.push(await other.cells());
  return births;
}

function othersOf({ others = [] }: SeedOptions): Pick<RegistryFacts, 'others'> {
  if (others.length === 0) return {};
  return { others: Object.fromEntries(others.map(({ layer, schemaHash }) => [layer, schemaHash])) };
}

async function withAdmin<T>(
  { openAdmin }: SeedOptions,
  incarnation: number,
  work: (admin: WorldAdmin) => Promise<T>,
  layer?: string,
): Promise<T> {
  const admin = await openAdmin(incarnation, layer);
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

/** Two seedings may only be mixed when they write the very same: a stray cell would never go. */
function fingerprintOf(layers: readonly Births[]): string {
  const hasher = new Hasher();
  for (const births of layers) {
    for (const [cell, birth] of [...births].sort(([a], [b]) => a - b)) {
      hasher.u32(cell).text(seedOf(cell, birth).hash).f64(birth.idCounter);
    }
  }
  return hasher.hex();
}

type Written = { readonly cells: number; readonly entities: number; readonly runId: string };

/** Entities are counted in the layer of `facts`: they are the same in the others. */
async function writeLayers(
  options: SeedOptions,
  births: readonly Births[],
  incarnation: number,
): Promise<Written> {
  const { facts, others = [] } = options;
  const layers = [facts, ...others];
  let first: Written | undefined;
  for (const [i, of] of births.entries()) {
    const schema = layers[i] as Pick<SeedFacts, 'schemaHash' | 'schemaJson' | 'layer'>;
    const layer = i === 0 ? undefined : schema.layer;
    const done = await withAdmin(
      options,
      incarnation,
      (admin) => write(options, { births: of, ...schema }, admin),
      layer,
    );
    first ??= done;
  }
  return first ?? { cells: 0, entities: 0, runId: '' };
}

type LayerSeed = Pick<SeedFacts, 'schemaHash' | 'schemaJson'> & { readonly births: Births };

async function write(
  options: SeedOptions,
  { births, schemaHash, schemaJson }: LayerSeed,
  admin: WorldAdmin,
): Promise<Written> {
  const { progress } = options;
  const seeds = [...births].map(([cell, birth]) => seedOf(cell, birth));
  await admin.createBlocks();
  await admin.putSchema(schemaHash, schemaJson);
  let entities = 0;
  for (const { count } of births.values()) entities += count;
  for (let i = 0; i < seeds.length; i += CELLS_PER_STEP) {
    progress?.({ phase: 'writing', cells: i, cellsTotal: seeds.length });
    await writeCells(options, admin, seeds.slice(i, i + CELLS_PER_STEP));
  }
  progress?.({ phase: 'writing', cells: seeds.length, cellsTotal: seeds.length });
  return { cells: seeds.length, entities, runId: await admin.runId() };
}

function seedOf(cell: number, { body, idCounter }: CellBirth): CellSeed {
  return { cell, hash: entryHash('', 1, SEED_EPOCH, 0, body), body, idCounter };
}

/** L4: a reply that was lost is asked for again; what was written answers ALREADY. */
async function writeCells(
  options: SeedOptions,
  admin: WorldAdmin,
  seeds: readonly CellSeed[],
): Promise<void> {
  const { sleep = pause } = options;
  let left = seeds;
  for (let attempt = 1; left.length > 0; attempt++) {
    const replies = await admin.createCells(left);
    const unknown: CellSeed[] = [];
    let last: CellSeedReply = { tag: 'OK' };
    for (const [i, seed] of left.entries()) {
      const reply: CellSeedReply = replies[i] ?? { tag: 'UNKNOWN', message: 'no reply' };
      if (reply.tag === 'OK' || reply.tag === 'ALREADY') continue;
      if (reply.tag !== 'UNKNOWN') throw cellRefused(options.facts.world, seed.cell, reply);
      unknown.push(seed);
      last = reply;
    }
    if (unknown.length === 0) return;
    if (attempt === ATTEMPTS_MAX) {
      throw cellRefused(options.facts.world, unknown[0]?.cell ?? 0, last);
    }
    await sleep(Math.min(1_000, 50 * 2 ** attempt));
    left = unknown;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The stored world is the one that manifest, schema and store speak of. */
async function agree(options: SeedOptions, record: RegistryRecord): Promise<void> {
  const { facts, registry, blocks } = options;
  if (record.manifestHash !== facts.manifestHash) throw manifestDiffers(record, facts);
  await withAdmin(options, record.incarnation, async (admin) => {
    const found = await admin.blocks();
    if (found.present < blocks || found.sealed > 0) throw blocksMissing(record, found, blocks);
    const changed = changedSchemas(options, record);
    if (changed.length === 0) return;
    for (const { was, schemaJson } of changed) {
      const stored = await admin.getSchema(was);
      if (stored === undefined) throw schemaMissing(record);
      planMigration(parseSchema(stored), parseSchema(schemaJson));
    }
    for (const { schemaHash, schemaJson } of changed) await admin.putSchema(schemaHash, schemaJson);
    const { schemaHash } = facts;
    await registry.migrated(facts.world, record.incarnation, { schemaHash, ...othersOf(options) });
  });
}

/** Layers whose stored schema is another than the module's. */
function changedSchemas({ facts, others = [] }: SeedOptions, record: RegistryRecord) {
  const of = others.map((other) => ({ ...other, was: record.others?.[other.layer] ?? '' }));
  return [{ ...facts, was: record.schemaHash }, ...of].filter(
    ({ was, schemaHash }) => was !== schemaHash,
  );
}

/**
 * Seals and removes incarnations that were replaced; a crash here is made good by the next call.
 */
async function forget(options: SeedOptions, strays: readonly number[]): Promise<void> {
  const { registry, facts, progress } = options;
  const leftovers = await registry.leftovers(facts.world);
  for (const incarnation of new Set([...strays, ...leftovers])) {
    progress?.({ phase: 'forgetting', cells: 0, cellsTotal: 0 });
    await withAdmin(options, incarnation, (admin) => admin.forget());
    if (leftovers.includes(incarnation)) await registry.forgotten(facts.world, incarnation);
  }
}
