/** Takes a snapshot of a stored world, running or at rest. */
import { type Clock, hasCode, LeaseholdError } from '@leasehold/kernel';
import { openLiveStore } from '@leasehold/live-store';
import { parseSchema, type RegistryRecord, type Store } from '@leasehold/protocol';
import {
  type CapturedCell,
  type Finished,
  SNAPSHOT_FORMAT,
  type SnapshotFacts,
  type SnapshotStore,
} from '@leasehold/snapshot-store';
import { type Cut, type CutWorld, takeCut } from './cut.ts';
import { layersOf } from './layers-of.ts';
import { sipOf, snapshotRate } from './rate.ts';

/** A world that goes on too far while it is read is tried again, at a later tick. */
const ATTEMPTS_MAX = 3;

export type TakeOptions = {
  readonly redisUrl: string;
  /** What is ready. */
  readonly record: RegistryRecord;
  readonly snapshots: SnapshotStore;
  readonly clock: Clock;
  readonly id: string;
  /** A tick to come; one of its own choice by default. */
  readonly tick?: number;
  /** Bytes of rows a second; 0 = as fast as it goes. By default as `snapshotRate` says. */
  readonly bytesPerSecond?: number;
  readonly progress?: (at: TakeProgress) => void;
  /** Aborted: what was written is taken back. */
  readonly signal?: AbortSignal;
};

export type TakeProgress = {
  readonly phase: 'waiting' | 'reading';
  readonly cells: number;
  readonly cellsTotal: number;
};

export type Taken = Finished & { readonly id: string; readonly tick: number };

/**
 * Errors: `WORLD_NOT_READY`, `SNAPSHOT_UNSTABLE` when it went on too far each time, and those of the
 * stores. A snapshot that fails leaves nothing that counts as one.
 */
export async function takeSnapshot(options: TakeOptions): Promise<Taken> {
  const { record, redisUrl, clock } = options;
  const { layers, ...place } = layersOf(record);
  const names = layers.map(({ layer }) => layer);
  const stores: Store[] = [];
  try {
    for (const layer of names) {
      const of = { ...place, layer, layers: names };
      const cold = options.snapshots.coldCells(of);
      stores.push(await openLiveStore({ ...of, url: redisUrl, cold }));
    }
    const schemas = new Map<string, string>();
    for (const store of stores) {
      for (const [hash, json] of await store.schemas()) schemas.set(hash, json);
    }
    const known = new Map([...schemas].map(([hash, json]) => [hash, parseSchema(json)]));
    const world: CutWorld = {
      ...{ world: record.world, grid: place.grid, clock },
      layers: layers.map(({ layer, schemaHash }, i) => {
        const schema = known.get(schemaHash);
        if (schema === undefined) throw schemaMissing(record.world, layer, schemaHash);
        return { store: stores[i] as Store, schema, older: (hash) => known.get(hash) };
      }),
    };
    const facts = { layers, schemas: Object.fromEntries(schemas) };
    return await attempts(options, world, facts);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

type Known = Pick<SnapshotFacts, 'layers' | 'schemas'>;

async function attempts(options: TakeOptions, world: CutWorld, known: Known): Promise<Taken> {
  for (let attempt = 1; ; attempt++) {
    options.progress?.({ phase: 'waiting', cells: 0, cellsTotal: 0 });
    const cut = await takeCut(world, options.tick);
    try {
      return await write(options, cut, known);
    } catch (error) {
      const isLast = attempt === ATTEMPTS_MAX || options.tick !== undefined;
      if (isLast || !hasCode(error, 'SNAPSHOT_UNSTABLE')) throw error;
    } finally {
      await cut.close();
    }
  }
}

async function write(options: TakeOptions, cut: Cut, known: Known): Promise<Taken> {
  const { record, snapshots, id, signal, progress } = options;
  const { tick, capture } = cut;
  const bytesPerSecond = snapshotRate(options.bytesPerSecond, cut.clock.isPaused);
  const sip =
    bytesPerSecond === undefined ? undefined : sipOf(bytesPerSecond, cut.calmInMs, signal);
  const { cutTick: _, ...clock } = cut.clock;
  const writer = await snapshots.begin(
    {
      ...{ id, world: record.world, incarnation: record.incarnation, tick, clock, ...known },
      ...{ space: spaceOf(record), manifestHash: record.manifestHash, fixed: record.fixed ?? {} },
      format: SNAPSHOT_FORMAT,
    },
    {
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      ...(signal === undefined ? {} : { signal }),
      progress: (cells) => progress?.({ phase: 'reading', cells, cellsTotal: capture.cellsTotal }),
    },
  );
  try {
    await writer.put(unlessAborted(capture.cells(sip), signal));
    await writer.putFlights(capture.flights());
    signal?.throwIfAborted();
    return { id, tick, ...(await writer.finish()) };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function* unlessAborted(
  cells: AsyncIterable<CapturedCell>,
  signal: AbortSignal | undefined,
): AsyncGenerator<CapturedCell> {
  for await (const cell of cells) {
    signal?.throwIfAborted();
    yield cell;
  }
}

function spaceOf({ fixed = {} }: RegistryRecord): SnapshotFacts['space'] {
  const number = (name: string): number => Number(fixed[`space.${name}`] ?? 0);
  return {
    kind: fixed['space.kind'] as SnapshotFacts['space']['kind'],
    ...{ originX: number('originX'), originY: number('originY') },
    ...{ width: number('width'), height: number('height'), cell: number('cell') },
  };
}

function schemaMissing(world: string, layer: string, hash: string): LeaseholdError {
  return new LeaseholdError(
    'SCHEMA_INCOMPATIBLE',
    `${world} does not say how ${layer} is written`,
    {
      field: `schema of ${layer}`,
      value: hash,
      remedy: 'Run the world once with its module: pods put the schema into the store.',
    },
  );
}
