/**
 * Deletes content that no snapshot names any more. Content of a snapshot that is being taken is named
 * by it, or held by its writer's lock until it is.
 */
import { BLOBS_LOCK, type Database, inTransaction, rowsOf } from './database.ts';

/** Writers wait meanwhile, so each round is short. */
const BLOBS_PER_ROUND = 2_000;
/** Whoever reads a batch is not made to wait for its end; the next round takes it. */
const DROP_WAIT = '2s';

/** Answers how many blobs went. */
export async function collectGarbage(db: Database): Promise<number> {
  let total = 0;
  for (;;) {
    const deleted = await deleteBlobs(db);
    total += deleted;
    if (deleted < BLOBS_PER_ROUND) break;
  }
  const batches = await rowsOf<{ batch: number }>(db, LEFT_BATCHES);
  for (const { batch } of batches) await cleanBatch(db, batch);
  return total;
}

/** One that nobody put anything into is of a writer whose content others put meanwhile. */
const LEFT_BATCHES = `
select e.batch from leasehold.entity_batch e
 where e.is_dirty or not exists (select from leasehold.blob b where b.batch = e.batch)
 order by e.batch`;

const DELETE_BLOBS = `
with gone as (
  delete from leasehold.blob
   where number in (
     select b.number from leasehold.blob b
      where not exists (select from leasehold.snapshot_part p where p.blob = b.number)
      limit $1)
  returning batch),
marked as (
  update leasehold.entity_batch set is_dirty = true
   where batch in (select batch from gone) and not is_dirty)
select count(*)::int as count from gone`;

function deleteBlobs(db: Database): Promise<number> {
  return inTransaction(db, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [BLOBS_LOCK]);
    const { rows } = await client.query<{ count: number }>(DELETE_BLOBS, [BLOBS_PER_ROUND]);
    return rows[0]?.count ?? 0;
  });
}

/** What is left of deleted blobs: nobody can see it, it only takes room. */
async function cleanBatch(db: Database, batch: number): Promise<void> {
  const isDropped = await inTransaction(db, async (client) => {
    await client.query("select set_config('lock_timeout', $1, true)", [DROP_WAIT]);
    await client.query('select pg_advisory_xact_lock($1)', [BLOBS_LOCK]);
    const { rows } = await client.query<{ is_used: boolean }>(IS_USED, [batch]);
    if (rows[0]?.is_used !== false) return false;
    await client.query('select leasehold.entity_batch_drop($1)', [batch]);
    return true;
  }).catch((error: unknown) => {
    if (isLockTimeout(error)) return true;
    throw error;
  });
  if (isDropped) return;
  await inTransaction(db, async (client) => {
    await client.query(DELETE_ROWS, [batch]);
    await client.query('update leasehold.entity_batch set is_dirty = false where batch = $1', [
      batch,
    ]);
  });
}

const IS_USED = `
select exists (select from leasehold.blob where batch = $1)
    or exists (select from leasehold.entity_batch b join leasehold.snapshot s on s.number = b.snapshot
                where b.batch = $1 and s.state = 'taking') as is_used`;

const DELETE_ROWS = `
delete from leasehold.entity e
 where e.batch = $1 and not exists (select from leasehold.blob b where b.number = e.blob)`;

const LOCK_TIMEOUT = '55P03';

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOCK_TIMEOUT;
}
