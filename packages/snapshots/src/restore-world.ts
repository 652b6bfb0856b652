/**
 * Puts a snapshot in the place of a world, or beside it under another name. Never overwrites: it fills an
 * incarnation that nobody has seen, and only when all of it is there and was looked at, that one becomes
 * the world. Then the old one is sealed, so whoever still works on it is refused, and removed. Whatever
 * fails or dies before leaves the old one running; whatever dies after is made good by the next call.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import {
  type LayerSchema,
  parseSchema,
  type Registry,
  type RegistryRecord,
  type Store,
  type WorldAdmin,
} from '@leasehold/protocol';
import type { SnapshotFacts, SnapshotStore } from '@leasehold/snapshot-store';
import type { Grid } from '@leasehold/spatial';
import { manifestHashOf } from '@leasehold/world';
import { layersOf } from './layers-of.ts';
import { type RestoreTotals, restoreCells } from './restore-cells.ts';

const CELLS_PER_LOOK = 1_000;

export type RestoreOptions = {
  readonly redisUrl: string;
  readonly registry: Registry;
  readonly snapshots: SnapshotStore;
  readonly id: string;
  /** Another name: a branch. By default the world that the snapshot is of. */
  readonly world?: string;
  /** Whether its time stands still then. */
  readonly isPaused?: boolean;
  /**
   * The incarnation that was there when it was asked for; 0: none. If this snapshot has taken its place
   * meanwhile, that was an earlier try of the same, and nothing is done twice. By default: what is there.
   */
  readonly replaces?: number;
  readonly progress?: (at: RestoreProgress) => void;
  /** Aborted before it is the world: what was written is taken back. */
  readonly signal?: AbortSignal;
};

export type RestoreProgress = {
  readonly phase: 'writing' | 'checking' | 'forgetting';
  readonly cells: number;
  readonly cellsTotal: number;
};

export type Restored = Pick<RestoreTotals, 'cells' | 'entities'> & {
  readonly world: string;
  readonly incarnation: number;
  /** The one that it replaced. */
  readonly replaced: number | undefined;
  readonly tick: number;
};

/**
 * Errors, all before anything is replaced: `SNAPSHOT_UNKNOWN`, `SNAPSHOT_CORRUPT`, `SNAPSHOT_TOO_NEW`;
 * `WORLD_MISMATCH` when the world has other settings than the snapshot, or a branch's name is taken;
 * `REDIS_REFUSED`.
 */
export async function restoreSnapshot(options: RestoreOptions): Promise<Restored> {
  const { registry, snapshots, id } = options;
  const facts = await snapshots.facts(id);
  const summary = await snapshots.get(id);
  const world = options.world ?? facts.world;
  const fingerprint = `snapshot ${id} ${summary.totals?.hash ?? ''}`;
  const found = await registry.read(world);
  const isOwn = found?.fingerprint === fingerprint;
  // What was begun and is not ready is gone on with if it is the same, else it is nobody's.
  const before = found?.state === 'ready' ? found : undefined;
  if (before !== undefined && before.incarnation !== (options.replaces ?? before.incarnation)) {
    if (!isOwn) throw overtaken(world, before.incarnation);
    await forgetOld(options, world, before);
    const { incarnation } = before;
    const { cells = 0, entities = 0 } = summary.totals ?? {};
    return { cells, entities, world, incarnation, replaced: options.replaces, tick: facts.tick };
  }
  checkTarget(facts, world, before);
  let totals: RestoreTotals | undefined;
  let begun: number | undefined;
  const cells = summary.totals?.cells ?? 0;
  const seeding = registry.seed(
    world,
    recordFacts(facts, world),
    async (incarnation) => {
      begun = incarnation;
      totals = await fill(options, { world, incarnation, facts, cells });
      return {};
    },
    {
      ...(before === undefined ? {} : { replaces: before.incarnation }),
      fingerprint: async () => fingerprint,
      stored: () => storedIncarnation(options, world, facts),
    },
  );
  const record = await seeding.catch(async (error: unknown) => {
    if (begun !== undefined) await abandon(options, { world, incarnation: begun, facts, cells });
    throw error;
  });
  if (totals === undefined) throw overtaken(world, record.incarnation);
  await forgetOld(options, world, record);
  const replaced = before?.incarnation;
  return { ...totals, world, incarnation: record.incarnation, replaced, tick: facts.tick };
}

/** What the registry knows of a world that is restored. */
function recordFacts(facts: SnapshotFacts, world: string) {
  const { layers, fixed } = facts;
  const [home, ...others] = layers;
  // A branch is run by a manifest with its own name.
  const manifestHash = world === facts.world ? facts.manifestHash : manifestHashOf(world, fixed);
  return {
    ...{ schemaHash: home?.schemaHash ?? '', manifestHash, fixed },
    ...(home === undefined ? {} : { layer: home.layer }),
    ...(others.length === 0
      ? {}
      : { others: Object.fromEntries(others.map(({ layer, schemaHash }) => [layer, schemaHash])) }),
  };
}

function checkTarget(facts: SnapshotFacts, world: string, before?: RegistryRecord): void {
  if (before === undefined) return;
  if (world !== facts.world) {
    throw new LeaseholdError('WORLD_MISMATCH', `there is a world ${world} already`, {
      field: 'world',
      value: world,
      remedy: 'Choose another name for the branch.',
    });
  }
  if (before.manifestHash === facts.manifestHash) return;
  const names = new Set([...Object.keys(before.fixed ?? {}), ...Object.keys(facts.fixed)]);
  const other = [...names].find((name) => before.fixed?.[name] !== facts.fixed[name]);
  const was =
    other === undefined ? '' : `${other} is ${before.fixed?.[other]}, not ${facts.fixed[other]}`;
  throw new LeaseholdError(
    'WORLD_MISMATCH',
    `${world} is another world than that of the snapshot`,
    {
      field: other ?? 'manifest',
      value: was,
      remedy: 'Restore it under another name: leasehold snapshot branch ID --as NAME.',
    },
  );
}

type Target = {
  readonly world: string;
  readonly incarnation: number;
  readonly facts: SnapshotFacts;
  readonly cells: number;
};

const gridOf = (facts: SnapshotFacts, world: string): Grid =>
  layersOf({ ...recordFacts(facts, world), world, incarnation: 0, state: 'ready', seededAt: '' })
    .grid;

async function storedIncarnation(
  { redisUrl: url }: RestoreOptions,
  world: string,
  facts: SnapshotFacts,
): Promise<number> {
  const layer = facts.layers[0]?.layer ?? '';
  const grid = gridOf(facts, world);
  const admin = await openWorldAdmin({ url, world, incarnation: 1, layer, grid });
  try {
    return Math.max(0, ...(await admin.incarnations()));
  } finally {
    await admin.close();
  }
}

/** What failed is not left in memory. If that fails as well, the next call makes it good. */
async function abandon(options: RestoreOptions, target: Target): Promise<void> {
  const { world, incarnation, facts } = target;
  const record = { ...recordFacts(facts, world), world, incarnation, seededAt: '' };
  try {
    await options.registry.abandoned(world, incarnation);
    await forgetOld(options, world, { ...record, state: 'seeding' });
  } catch {
    // What is told is why it failed in the first place.
  }
}

/** Writes and looks at an incarnation that nobody works on. Repeating it changes nothing. */
async function fill(options: RestoreOptions, target: Target): Promise<RestoreTotals> {
  const { redisUrl: url, snapshots, id, progress, isPaused, signal } = options;
  const { world, incarnation, facts, cells: cellsTotal } = target;
  const grid = gridOf(facts, world);
  const names = facts.layers.map(({ layer }) => layer);
  const schemas = new Map(
    Object.entries(facts.schemas).map(([hash, json]) => [hash, parseSchema(json)]),
  );
  const closing: { close(): Promise<void> }[] = [];
  const layers: Layer[] = [];
  try {
    for (const { layer, schemaHash } of facts.layers) {
      const place = { url, world, incarnation, layer, layers: names, grid };
      const admin = await openWorldAdmin(place);
      closing.push(admin);
      await admin.createBlocks();
      for (const [hash, json] of Object.entries(facts.schemas)) await admin.putSchema(hash, json);
      const store = await openLiveStore(place);
      closing.push(store);
      const schema = schemas.get(schemaHash) as LayerSchema;
      layers.push({ admin, store, schema, older: (hash) => schemas.get(hash) });
    }
    let cells = 0;
    const heads = new Map<string, string>();
    const counted = async function* () {
      for await (const cell of snapshots.cells(id)) {
        heads.set(`${cell.layer}:${cell.cell}`, `${cell.tick} ${cell.idCounter} ${cell.outSeq}`);
        signal?.throwIfAborted();
        yield cell;
        cells++;
        progress?.({ phase: 'writing', cells, cellsTotal });
      }
    };
    const isExact = facts.clock.mode === 'lockstep';
    const parts = { cells: counted(), flights: snapshots.flights(id), isExact };
    const totals = await restoreCells(layers, parts);
    progress?.({ phase: 'checking', cells, cellsTotal });
    await check(layers, grid, heads);
    const [first] = layers;
    const { baseMs: _, cutTick: __, ...clock } = facts.clock;
    const base = { baseTick: facts.tick, isPaused: isPaused ?? clock.isPaused };
    await first?.store.setClock({ ...clock, ...base });
    signal?.throwIfAborted();
    return totals;
  } finally {
    for (const each of closing.reverse()) await each.close();
  }
}

type Layer = {
  readonly admin: WorldAdmin;
  readonly store: Store;
  readonly schema: LayerSchema;
  readonly older: (hash: string) => LayerSchema | undefined;
};

/** S1: every cell stands where it stood, and no other has a history. */
async function check(
  layers: readonly Layer[],
  { cells }: Grid,
  expected: ReadonlyMap<string, string>,
): Promise<void> {
  let found = 0;
  for (const [layer, { store }] of layers.entries()) {
    for (let first = 0; first < cells; first += CELLS_PER_LOOK) {
      const some = Array.from(
        { length: Math.min(CELLS_PER_LOOK, cells - first) },
        (_, i) => first + i,
      );
      for (const [i, head] of (await store.heads(some)).entries()) {
        if ('tag' in head) throw misplaced(some[i] ?? 0, head.tag);
        if (head.seq === 0) continue;
        found++;
        const is = `${head.tick} ${head.idCounter} ${head.outSeq}`;
        if (expected.get(`${layer}:${head.cell}`) !== is) throw misplaced(head.cell, is);
      }
    }
  }
  if (found !== expected.size) throw misplaced(-1, `${found} of ${expected.size} cells`);
}

function misplaced(cell: number, is: string): LeaseholdError {
  return new LeaseholdError('REDIS_REFUSED', 'what was written is not what is stored', {
    field: cell < 0 ? 'cells' : `cell ${cell}`,
    value: is,
    remedy: 'Look at the memory and disk of Redis, then restore again: the world is as it was.',
  });
}

/** Whoever still works on an old incarnation is refused from now on. */
async function forgetOld(
  { registry, redisUrl: url, progress }: RestoreOptions,
  world: string,
  record: RegistryRecord,
): Promise<void> {
  const { grid, layers } = layersOf(record);
  const layer = layers[0]?.layer ?? '';
  for (const incarnation of await registry.leftovers(world)) {
    progress?.({ phase: 'forgetting', cells: 0, cellsTotal: 0 });
    const admin = await openWorldAdmin({ url, world, incarnation, layer, grid });
    try {
      await admin.forget();
    } finally {
      await admin.close();
    }
    await registry.forgotten(world, incarnation);
  }
}

function overtaken(world: string, incarnation: number): LeaseholdError {
  return new LeaseholdError('WORLD_MISMATCH', `somebody else has replaced ${world} meanwhile`, {
    field: 'incarnation',
    value: String(incarnation),
    remedy: 'Look what it is now, then restore again.',
  });
}
