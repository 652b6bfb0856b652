/**
 * Goal: whatever becomes of a restore, there is one whole world, and nothing else of it (S1). Method:
 * processes that restore are killed at random points, and snapshots that cannot be restored are tried.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import type { Registry } from '@leasehold/protocol';
import { openSnapshotStore, postgresRegistry, type SnapshotStore } from '@leasehold/snapshot-store';
import { type Spawned, spawnNode, usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restoreSnapshot } from './index.ts';
import { contentOf, snapshotOf } from './restore-fixture.ts';

const db = usePostgres();
const at = useRedis();
let snapshots: SnapshotStore;
let registry: Registry;

beforeAll(async () => {
  snapshots = await openSnapshotStore({ url: db.databaseUrl });
  registry = postgresRegistry(db.databaseUrl);
});
afterAll(() => snapshots.close());

const restore = (id: string, world?: string) =>
  restoreSnapshot({
    ...{ redisUrl: at.url, registry, snapshots, id },
    ...(world === undefined ? {} : { world }),
  });

/** Incarnations of a world that have a key in Redis. */
async function incarnationsOf(world: string): Promise<number[]> {
  const keys = await at.redis.keys(`{${world}.*`);
  return [...new Set(keys.map((key) => Number(/\.(\d+)[.}]/.exec(key)?.[1])))];
}

/** Those of snapshots and worlds, of each world's own. A restore makes none. */
async function rows(world: string): Promise<unknown> {
  const { rows: found } = await db.pool.query(
    `select s.id, (select count(*) from leasehold.snapshot_cell c where c.snapshot = s.number) as cells,
            (select count(*) from leasehold.snapshot_part p where p.snapshot = s.number) as parts,
            (select count(*) from leasehold.world w where w.name = s.world) as worlds
       from leasehold.snapshot s where s.world = $1 order by s.id`,
    [world],
  );
  return found;
}

/** Of two worlds at once, because most of the time a process starts. */
const KILLS = 10;
const WORLDS = ['one', 'two'];
/** A kill comes at random behind one of these, so that each part of a restore is met. */
const PHASES = ['begun', 'begun', 'writing', 'checking', 'forgetting'];
/** What a part of it takes, about. */
const PHASE_MS = 20;
/** Children need not compile again what the first has compiled. */
const CACHE = join(tmpdir(), 'leasehold-compile-cache');

async function openRestorer(id: string): Promise<Spawned> {
  const file = new URL('./restorer-fixture.ts', import.meta.url).pathname;
  const env = { NODE_COMPILE_CACHE: CACHE };
  const child = spawnNode([file, db.databaseUrl, at.url, id], { env });
  await child.waitFor(({ event }) => event === 'ready', 60_000);
  return child;
}

/** Once killed, a restore is tried again. Says whether the old world was there meanwhile. */
async function killedRestore(child: Spawned, of: Attempt): Promise<boolean> {
  const { world, id, contents, phase } = of;
  const old = await registry.read(world);
  child.kill('SIGUSR2');
  await child.waitFor(({ event }) => event === phase);
  await sleep(Math.random() * PHASE_MS);
  child.kill('SIGKILL');
  await child.exited;
  const now = await registry.read(world);
  expect(now?.state).toBe('ready');
  const isOld = now?.incarnation === old?.incarnation;
  const whole = contents.get(isOld ? of.before : id);
  expect(await contentOf(at.url, world, now?.incarnation ?? 0)).toBe(whole);
  const again = await restore(id);
  expect(await contentOf(at.url, world, again.incarnation)).toBe(contents.get(id));
  expect(await incarnationsOf(world)).toEqual([again.incarnation]);
  expect(await registry.leftovers(world)).toEqual([]);
  return isOld;
}

type Attempt = {
  readonly world: string;
  /** What the world is, and what it is to be. */
  readonly before: string;
  readonly id: string;
  readonly phase: string;
  readonly contents: ReadonlyMap<string, string>;
};

async function killedRestores(world: string): Promise<void> {
  const [first, second] = [`${world}-a`, `${world}-b`];
  const contents = new Map<string, string>();
  for (const [i, id] of [first, second].entries()) {
    await snapshotOf(snapshots, id, { world, mark: 10 + i });
    const { incarnation } = await restore(id);
    contents.set(id, await contentOf(at.url, world, incarnation));
  }
  expect(contents.get(first)).not.toBe(contents.get(second));
  const before = await rows(world);
  let old = 0;
  let [was, id] = [second, first];
  let next = openRestorer(id);
  for (let i = 0; i < KILLS; i++) {
    const child = await next;
    next = openRestorer(was);
    const phase = PHASES[i % PHASES.length] ?? 'begun';
    old += Number(await killedRestore(child, { world, before: was, id, phase, contents }));
    [was, id] = [id, was];
  }
  await (await next).stop(0);
  expect(await rows(world)).toEqual(before);
  process.stdout.write(`${world}: ${old} of ${KILLS} killed before it was replaced\n`);
  expect(old).toBeGreaterThan(0);
  expect(old).toBeLessThan(KILLS);
}

test('S1 a restore that is killed leaves the old world or the new one, and nothing else', {
  timeout: 120_000,
}, async () => {
  // None leaves while another goes on.
  const ends = await Promise.allSettled(WORLDS.map(killedRestores));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
});

describe('what cannot be restored leaves the world as it is, and nothing else', () => {
  const world = 'kept';
  let incarnation = 0;
  let content = '';

  beforeAll(async () => {
    await snapshotOf(snapshots, 'kept', { world, mark: 10 });
    ({ incarnation } = await restore('kept'));
    content = await contentOf(at.url, world, incarnation);
  });

  async function refused(id: string, as?: string): Promise<LeaseholdError> {
    const fault = await restore(id, as).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(LeaseholdError);
    const keys = await at.redis.keys('{kept.*');
    expect(keys.filter((key) => !key.startsWith(`{kept.${incarnation}`))).toEqual([]);
    expect(await registry.read(world)).toMatchObject({ state: 'ready', incarnation });
    expect(await contentOf(at.url, world, incarnation)).toBe(content);
    return fault as LeaseholdError;
  }

  test('a snapshot that nobody took', async () => {
    expect(await refused('nobody')).toMatchObject({ code: 'SNAPSHOT_UNKNOWN' });
  });

  test('that of a world with other settings, which is named', async () => {
    await snapshotOf(snapshots, 'strange', { world, mark: 11, seed: 8 });
    const fault = await refused('strange');
    expect(fault).toMatchObject({ code: 'WORLD_MISMATCH', detail: { field: 'seed' } });
    expect(fault.detail).toMatchObject({ value: expect.stringContaining('7') });
    expect(fault.detail.remedy).toContain('snapshot branch');
  });

  test('one of a newer version', async () => {
    await snapshotOf(snapshots, 'newer', { world, mark: 12 });
    await db.pool.query(
      `update leasehold.snapshot set facts = jsonb_set(facts, '{format}', '2') where id = 'newer'`,
    );
    expect(await refused('newer')).toMatchObject({ code: 'SNAPSHOT_TOO_NEW' });
  });

  test('S1 one with a damaged cell, which is named; mended, it can be restored', async () => {
    await snapshotOf(snapshots, 'damaged', { world, mark: 13 });
    const flip = () =>
      db.pool.query(
        `update leasehold.blob b set bytes = set_byte(bytes, 30, 255 - get_byte(bytes, 30))
           from leasehold.snapshot_part p join leasehold.snapshot s on s.number = p.snapshot
          where s.id = 'damaged' and p.source = 0 and p.cell = 0 and p.layer = 0
            and b.number = p.blob`,
      );
    await flip();
    await refused('damaged', 'branched');
    expect(await incarnationsOf('branched')).toEqual([]);
    expect(await registry.read('branched')).toBeUndefined();
    const fault = await refused('damaged');
    expect(fault).toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    expect(fault.detail.value).toContain('layer motion, cell 0');
    await flip();
    await restore('damaged', 'branched');
    expect(await incarnationsOf('branched')).toEqual([2]);
    ({ incarnation } = await restore('damaged'));
    content = await contentOf(at.url, world, incarnation);
  });

  test('a branch whose name another world has', async () => {
    await snapshotOf(snapshots, 'other', { world: 'another', mark: 14 });
    const fault = await refused('other', 'kept');
    expect(fault).toMatchObject({ code: 'WORLD_MISMATCH', detail: { value: 'kept' } });
    expect(fault.detail.remedy).toContain('name');
  });
});
