/** Lets go of snapshots, of the content that only they had, and of what dead workers left behind. */
import { LeaseholdError } from '@leasehold/kernel';
import { type Database, rowsOf } from './database.ts';
import { collectGarbage } from './garbage.ts';
import { getSnapshot, listSnapshots } from './reader.ts';
import { dispensable, type Retention } from './retention.ts';
import { sealBatch } from './writer.ts';

export type PruneOptions = Retention & {
  readonly world: string;
  /** Only those whose ids begin so are counted, and may go. */
  readonly idPrefix?: string;
};

export type Pruned = {
  /** Oldest first. */
  readonly removed: readonly string[];
  /** Begun, and silent for an hour. */
  readonly abandoned: readonly string[];
  readonly blobs: number;
};

/** A worker says every few seconds that it lives; after this nobody waits for it any more. */
const ABANDONED_AFTER = '1 hour';

/**
 * Those of the world that no rule keeps go. Safe beside whoever takes a snapshot. Throws
 * `SETTING_INVALID` when nothing is to be kept: that is never meant.
 */
export async function pruneSnapshots(db: Database, options: PruneOptions): Promise<Pruned> {
  const { world, keep = 0, hourly = 0, daily = 0, idPrefix = '' } = options;
  const counts = [keep, hourly, daily];
  if (!counts.every((n) => Number.isInteger(n) && n >= 0) || counts.every((n) => n === 0)) {
    throw new LeaseholdError('SETTING_INVALID', 'a retention must keep something', {
      field: 'keep, hourly, daily',
      value: counts.join(', '),
      remedy: 'Give at least one of them as a whole number above 0.',
    });
  }
  const whole = (await listSnapshots(db, world)).filter(
    ({ id, state }) => state === 'complete' && id.startsWith(idPrefix),
  );
  const removed = dispensable(whole, options);
  await rowsOf(db, 'delete from leasehold.snapshot where id = any($1)', [removed]);
  const abandoned = await rowsOf<{ id: string }>(
    db,
    `delete from leasehold.snapshot
      where world = $1 and state = 'taking' and touched_at < now() - $2::interval returning id`,
    [world, ABANDONED_AFTER],
  );
  const blobs = await collectGarbage(db);
  await sealLeftBatches(db);
  return { removed, abandoned: abandoned.map(({ id }) => id), blobs };
}

/** Throws `SNAPSHOT_UNKNOWN`. */
export async function removeSnapshot(db: Database, id: string): Promise<void> {
  await getSnapshot(db, id);
  await rowsOf(db, 'delete from leasehold.snapshot where id = $1', [id]);
  await collectGarbage(db);
}

/** Content of a worker that died, and that others use by now, has no indexes yet. */
async function sealLeftBatches(db: Database): Promise<void> {
  const left = await rowsOf<{ batch: number }>(
    db,
    `select b.batch from leasehold.entity_batch b
      where not b.is_sealed and not exists (
        select from leasehold.snapshot s where s.number = b.snapshot and s.state = 'taking')`,
  );
  for (const { batch } of left) await sealBatch(db, batch);
}
