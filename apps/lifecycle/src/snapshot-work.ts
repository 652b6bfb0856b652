/**
 * What one job does about snapshots, so that another worker may do it again: whatever is found done is
 * not done twice, and what a dead worker left half done is gone on with, or begun anew in its place.
 */
import { hasCode, LeaseholdError } from '@leasehold/kernel';
import type { Registry } from '@leasehold/protocol';
import { systemClock } from '@leasehold/service';
import type { Retention, SnapshotStore, SnapshotSummary } from '@leasehold/snapshot-store';
import { restoreSnapshot, takeSnapshot } from '@leasehold/snapshots';

/** Ids of snapshots that a schedule takes begin so, and it lets go of no others. */
const SCHEDULED = 'auto-';
/** Leaves room for what makes an id unique. */
const WORLD_IN_ID_MAX = 36;

export type TakeWish = {
  readonly kind: 'take';
  readonly world: string;
  readonly id: string;
  readonly bytesPerSecond?: number;
  /** Of a schedule: what is kept of what it took. */
  readonly retention?: Retention;
};

export type RestoreWish = {
  readonly kind: 'restore';
  /** The one that becomes, or begins as, what the snapshot is. */
  readonly world: string;
  readonly id: string;
  /** What was there when it was asked for; 0 = nothing. */
  readonly replaces: number;
  /** Whether its time stands still then; undefined = as it was. */
  readonly isPaused?: boolean;
};

export type Wish = TakeWish | RestoreWish;

export type WorkProgress = {
  readonly phase: string;
  readonly cells: number;
  readonly cellsTotal: number;
};

/** What became of it. */
export type Done = {
  readonly tick: number;
  readonly entities: number;
  readonly cells: number;
  /** Of a restored world. */
  readonly incarnation?: number;
  /** Snapshots that the schedule let go of. */
  readonly removed?: string[];
};

export type WorkParts = {
  readonly snapshots: SnapshotStore;
  readonly registry: Registry;
  readonly redisUrl: string;
  /** Whether some worker has begun with it before. */
  readonly isAgain: boolean;
  readonly signal: AbortSignal;
  readonly progress: (at: WorkProgress) => void;
};

/** Errors: those of `takeSnapshot`, `restoreSnapshot` and `SnapshotStore.prune`; the signal's reason. */
export async function carryOut(wish: Wish, parts: WorkParts): Promise<Done> {
  return wish.kind === 'take' ? take(wish, parts) : restore(wish, parts);
}

async function take(wish: TakeWish, parts: WorkParts): Promise<Done> {
  const { world, id, retention, bytesPerSecond } = wish;
  const { snapshots, registry, redisUrl, signal, progress, isAgain } = parts;
  const before = isAgain ? await summaryOf(snapshots, id) : undefined;
  const known = before?.world === world && before.totals !== undefined ? before : undefined;
  const taken =
    known?.totals !== undefined
      ? { tick: known.tick, ...known.totals }
      : await takeSnapshot({
          ...{ redisUrl, snapshots, id, signal, progress, clock: systemClock },
          record: await readyRecord(registry, world),
          ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
        });
  const { tick, entities, cells } = taken;
  if (retention === undefined) return { tick, entities, cells };
  const { removed } = await snapshots.prune({ world, ...retention, idPrefix: SCHEDULED });
  return { tick, entities, cells, removed: [...removed] };
}

async function restore(wish: RestoreWish, parts: WorkParts): Promise<Done> {
  const { kind: _, ...how } = wish;
  const { snapshots, registry, redisUrl, signal, progress } = parts;
  const restored = await restoreSnapshot({
    ...how,
    ...{ redisUrl, registry, snapshots, signal, progress },
  });
  const { tick, entities, cells, incarnation } = restored;
  return { tick, entities, cells, incarnation };
}

/** Of a job that was cancelled between two workers: what the first left is removed. */
export async function takeBack(wish: Wish, parts: Pick<WorkParts, 'snapshots' | 'registry'>) {
  const { snapshots, registry } = parts;
  if (wish.kind === 'take') {
    const left = await summaryOf(snapshots, wish.id);
    if (left?.state === 'taking' && left.world === wish.world) await snapshots.remove(wish.id);
    return;
  }
  // A branch that never came to be must not keep its name.
  const record = await registry.read(wish.world);
  if (record?.state !== 'seeding' || wish.replaces !== 0) return;
  await registry.abandoned(wish.world, record.incarnation);
}

/** undefined: there is none of this id. */
export async function summaryOf(
  snapshots: SnapshotStore,
  id: string,
): Promise<SnapshotSummary | undefined> {
  return snapshots.get(id).catch((error: unknown) => {
    if (hasCode(error, 'SNAPSHOT_UNKNOWN')) return undefined;
    throw error;
  });
}

/** Errors: `WORLD_NOT_READY`. */
async function readyRecord(registry: Registry, world: string) {
  const record = await registry.read(world);
  if (record?.state === 'ready') return record;
  throw new LeaseholdError('WORLD_NOT_READY', `${world} is not seeded`, {
    field: 'world',
    value: world,
    remedy: 'Run it first, or restore a snapshot of it.',
  });
}

/** Of one that somebody asks for without a name: sorts by time, and can be typed. */
export const newSnapshotId = (world: string, atMs: number): string =>
  `${world.slice(0, WORLD_IN_ID_MAX)}-${stampOf(atMs)}`;

/** The same for the same moment of a schedule, whoever works on it. */
export const scheduledId = (world: string, atMs: number): string =>
  `${SCHEDULED}${newSnapshotId(world, atMs)}`;

function stampOf(atMs: number): string {
  const [date = '', time = ''] = new Date(atMs).toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.replace(/\D/g, '')}`;
}
