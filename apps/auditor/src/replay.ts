/**
 * A cell's state as checkpoint and log give it, and whether the two agree: from the older
 * checkpoint the log must lead exactly to the newer one (L3).
 */
import {
  applyCommit,
  decodeCheckpoint,
  decodeCommit,
  entryHash,
  inspectCheckpoint,
  inspectCommit,
  type LayerSchema,
  parseSchema,
  StateHash,
  storedPart,
  Table,
} from '@leasehold/protocol';
import type { CellReading, CheckpointReading, EntryReading } from './reading.ts';

export type Replay = {
  /** Undefined for a cell that was never written, or when nothing could be decoded. */
  readonly table: Table | undefined;
  readonly ids: ReadonlySet<number>;
  /** What does not agree, in words; each is a violation of L3. */
  readonly faults: readonly string[];
  readonly checkpointsCompared: number;
};

/** Schemas by hash, as the world keeps them. */
export class Schemas {
  readonly #known = new Map<string, LayerSchema>();

  learn(stored: ReadonlyMap<string, string>): void {
    for (const [hash, json] of stored) {
      if (!this.#known.has(hash)) this.#known.set(hash, parseSchema(json));
    }
  }

  readonly resolve = (hash: string): LayerSchema | undefined => this.#known.get(hash);
}

export function replay(reading: CellReading, schemas: Schemas): Replay {
  const faults: string[] = [];
  if (reading.meta.seq === 0 && reading.entries.length === 0) {
    return { table: undefined, ids: new Set(), faults, checkpointsCompared: 0 };
  }
  faults.push(...chainFaults(reading));
  try {
    return { ...replayed(reading, schemas, faults), faults };
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return { table: undefined, ids: new Set(), faults, checkpointsCompared: 0 };
  }
}

/** The entries kept must follow one another up to the head that meta names. */
function chainFaults({ entries, meta, checkpoints }: CellReading): string[] {
  const faults: string[] = [];
  for (const [i, entry] of entries.entries()) {
    const before = entries[i - 1];
    if (before !== undefined && entry.seq !== before.seq + 1) {
      faults.push(`entry ${before.seq} is followed by entry ${entry.seq}`);
    } else if (before !== undefined && entry.prevHash !== before.hash) {
      faults.push(`entry ${entry.seq} does not name the hash of the entry before it`);
    }
    const { prevHash, seq, epoch, tick, body } = entry;
    if (entryHash(prevHash, seq, epoch, tick, body) !== entry.hash) {
      faults.push(`entry ${seq} has another hash than its content`);
    }
  }
  const last = entries.at(-1) ?? checkpoints.at(-1);
  if (last === undefined || last.seq !== meta.seq || last.hash !== meta.hash) {
    faults.push(`the log ends at ${last?.seq} ${last?.hash}, meta says ${meta.seq} ${meta.hash}`);
  }
  return faults;
}

function replayed(
  reading: CellReading,
  schemas: Schemas,
  faults: string[],
): Pick<Replay, 'table' | 'ids' | 'checkpointsCompared'> {
  const { entries, checkpoints } = reading;
  const schema = newestSchema(reading, schemas);
  const first = entries[0]?.seq ?? reading.meta.seq + 1;
  // The log is trimmed to the older checkpoint; from there all of it can be followed.
  const start = checkpoints.find(({ seq }) => seq >= first - 1);
  if (start === undefined && first !== 1) {
    throw new Error(`the log begins at ${first}, and no checkpoint leads there`);
  }
  let table =
    start === undefined
      ? new Table(schema)
      : decodeCheckpoint(start.body, schema, schemas.resolve).table;
  const later = new Map(checkpoints.filter((c) => c !== start).map((c) => [c.seq, c]));
  let checkpointsCompared = 0;
  for (const entry of entries) {
    if (start !== undefined && entry.seq === start.seq) checkHash(start, entry, faults);
    if (start !== undefined && entry.seq <= start.seq) continue;
    applyCommit(table, decodeCommit(entry.body, schema, schemas.resolve));
    const checkpoint = later.get(entry.seq);
    if (checkpoint === undefined) continue;
    checkpointsCompared++;
    checkHash(checkpoint, entry, faults);
    const stored = decodeCheckpoint(checkpoint.body, schema, schemas.resolve).table;
    // What is ephemeral is in the log and in no checkpoint of a realtime world.
    if (hashOf(storedPart(stored), entry.tick) !== hashOf(storedPart(table), entry.tick)) {
      faults.push(`checkpoint ${checkpoint.seq} is not what the log makes of the one before it`);
      table = stored;
    }
  }
  return { table, ids: new Set(table.ids.subarray(0, table.count)), checkpointsCompared };
}

function checkHash(checkpoint: CheckpointReading, entry: EntryReading, faults: string[]): void {
  if (checkpoint.hash === entry.hash && checkpoint.tick === entry.tick) return;
  faults.push(`checkpoint ${checkpoint.seq} is not of the entry at its position`);
}

/** The schema of what was written last: into it everything older is migrated. */
function newestSchema({ entries, checkpoints }: CellReading, schemas: Schemas): LayerSchema {
  const entry = entries.at(-1);
  const checkpoint = checkpoints.at(-1);
  const hash =
    entry !== undefined
      ? inspectCommit(entry.body).schemaHash
      : checkpoint === undefined
        ? ''
        : inspectCheckpoint(checkpoint.body).schemaHash;
  const schema = schemas.resolve(hash);
  if (schema === undefined) throw new Error(`the world does not keep schema ${hash}`);
  return schema;
}

function hashOf(table: Table, tick: number): string {
  const state = new StateHash();
  state.add(table);
  return state.hex(tick);
}
