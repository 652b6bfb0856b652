/**
 * Goal: a world is the same whether cells in which nothing moves sleep in PostgreSQL or not. Method: a
 * crowd walks round a torus, past statues and into cells that have left Redis, while pods are killed,
 * somebody is born where nobody was, and PostgreSQL goes away and comes back; in the end the auditor counts
 * everybody. `PROOF_AWAY_S=600` lets PostgreSQL be away for so long instead of three seconds.
 */
import {
  eventually,
  openProxy,
  type Spawned,
  type TcpProxy,
  usePostgres,
  useRedis,
} from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from './command-fixture.ts';
import {
  CELL,
  COLUMNS,
  hasStatue,
  PEOPLE,
  PROCESSION,
  STATUES,
  TICK_HZ,
} from './procession-fixture.ts';

const at = useRedis();
const db = usePostgres();

/** Of a machine that does five other things. */
const WAIT_MS = 60_000;
/** So many sleep at once, and so many wake. */
const CELLS_MIN = 8;
const AWAY_S = Number(process.env['PROOF_AWAY_S'] ?? 3);
const TICKS_AWAY = AWAY_S * TICK_HZ;
const AWAY_MS_MAX = 2 * AWAY_S * 1_000;

let user: User;
let proxy: TcpProxy;
let run: Spawned;
let api = '';

beforeAll(async () => {
  const url = new URL(db.databaseUrl);
  proxy = await openProxy({ target: Number(url.port || 5_432) });
  url.host = `127.0.0.1:${proxy.port}`;
  user = await User.open({ REDIS_URL: at.url, SNAPSHOTS_URL: url.href, IDLE_MS: '2000' });
});
afterAll(async () => {
  await user.close();
  await proxy.close();
});

/** Cells of a layer that left Redis at some time. */
async function everCold(layer = 'main'): Promise<Set<number>> {
  const { rows } = await db.pool.query(
    'select distinct cell from leasehold.cold_cell where layer = $1',
    [layer],
  );
  return new Set(rows.map(({ cell }) => Number(cell)));
}

/** Cells of which Redis has something. */
async function warm(): Promise<Set<number>> {
  const names = await at.redis.keys('{procession.*:meta:main');
  return new Set(names.map((name) => Number(/:(\d+):meta:main$/.exec(name)?.[1])));
}

async function cold(): Promise<number[]> {
  // In this order, so that one that wakes meanwhile is not taken for one that sleeps.
  const [slept, here] = [await everCold(), await warm()];
  return [...slept].filter((cell) => !here.has(cell));
}

async function feedKinds(): Promise<string[]> {
  const [name] = await at.redis.keys('{procession.*}:feed');
  const entries = await at.redis.xrange(name ?? '', '-', '+');
  return entries.map(([, fields]) => fields[1] ?? '');
}

/** The newest tick that a cell has committed. */
async function tick(): Promise<number> {
  const names = await at.redis.keys('{procession.*:meta:main');
  const ticks = await Promise.all(names.map((name) => at.redis.hget(name, 'tick')));
  return Math.max(...ticks.map(Number));
}

async function lastSleptMs(): Promise<number> {
  const { rows } = await db.pool.query(
    'select 1000 * extract(epoch from max(slept_at)) as ms from leasehold.cold_cell',
  );
  return Number(rows[0]?.ms);
}

/** PostgreSQL ends, as when it is told to stop, and does not come back before the proxy heals. */
async function takeAway(): Promise<void> {
  proxy.refuse();
  await db.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'leasehold cells' and datname = current_database()`,
  );
  proxy.cut();
}

async function request(method: 'GET' | 'POST', path: string, body?: unknown, key = path) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const answer = await fetch(`${api}/v1/${path}`, {
    ...{ method, headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
}

/** Born in the middle of a cell, and stays there. */
async function bear(cell: number, key: string) {
  const [x, y] = [(cell % COLUMNS) * CELL + 10, Math.floor(cell / COLUMNS) * CELL + 10];
  const sentMs = performance.now();
  const path = 'worlds/procession/entities?wait=applied';
  const answer = await request('POST', path, { components: { position: { x, y } } }, key);
  return { ...answer, ms: Math.round(performance.now() - sentMs) };
}

/** Who is in a cell, and who is nearest to the middle of it, without waking it. */
async function seenIn(cell: number) {
  const [x, y] = [(cell % COLUMNS) * CELL, Math.floor(cell / COLUMNS) * CELL];
  const found = async (query: string) => {
    const { said } = await request('GET', `worlds/procession/entities?${query}`);
    return said['entities'] as { readonly id: number }[];
  };
  const inside = await found(`box=${x + 1},${y + 1},${x + CELL - 1},${y + CELL - 1}`);
  const near = await found(`near=${x + 6},${y + 5}&limit=1`);
  return { inside: inside.map(({ id }) => id), near: near.map(({ id }) => id) };
}

test(
  'E1 E2 nobody is lost or doubled in a world whose still cells sleep in PostgreSQL',
  async () => {
    const folder = await user.folder('procession', PROCESSION);
    const flags = ['--authorities', '1', '--lifecycle', '1', '--kill-every', '3', '--json'];
    run = user.leasehold(['run', folder, '--pods', '2', ...flags]);
    api = (await eventually(() => /^(?:· )?api {2}(\S+)/m.exec(run.stderr), WAIT_MS))?.[1] ?? '';

    const first = await eventually(async () => (await cold())[CELLS_MIN], WAIT_MS);
    // Those around have left in both layers, for whoever is in one of them is in the other.
    await eventually(async () => (await everCold('badges')).size > CELLS_MIN, WAIT_MS);
    const guarded = await eventually(async () => (await cold()).find(hasStatue), WAIT_MS);
    const seen = await seenIn(guarded as number);
    expect(seen.inside).toHaveLength(1);
    expect(seen.near).toEqual(seen.inside);
    const born = await bear(first as number, 'first');
    expect(born).toMatchObject({ status: 201 });
    expect(await warm()).toContain(first);

    await takeAway();
    await eventually(async () => (await feedKinds()).includes('cooling-waits'), WAIT_MS);
    const [before, leftMs, second] = [await tick(), await lastSleptMs(), (await cold())[0] ?? -1];
    // Taken, if a pod had read the cell before; else refused, and nothing is kept of it.
    const refused = await bear(second, 'second');
    if (refused.status !== 201) {
      expect(refused).toMatchObject({ status: 503, said: { code: 'CELL_COLD' } });
    }
    const waiting = await request('POST', 'worlds/procession/snapshots', { id: 'waited' });
    expect(waiting.status).toBe(202);
    await eventually(async () => (await tick()) > before + TICKS_AWAY, WAIT_MS + AWAY_MS_MAX);
    expect(await lastSleptMs()).toBe(leftMs);

    const job = `snapshot-jobs/${waiting.said['job']}`;
    const { said: waits } = await request('GET', job);
    expect(waits).toMatchObject({ state: 'delayed', message: expect.stringMatching(/\S/) });

    proxy.heal();
    await eventually(async () => (await lastSleptMs()) > leftMs, WAIT_MS);
    await eventually(async () => (await bear(second, 'second')).status === 201, WAIT_MS);
    // A job that has waited for long looks again after half a minute.
    const isTaken = async () => (await request('GET', job)).said['state'] === 'completed';
    await eventually(isTaken, WAIT_MS);
    // The crowd comes to where it has been.
    const left = await everCold();
    expect([...left].filter(hasStatue).length).toBeGreaterThan(CELLS_MIN);
    await eventually(async () => {
      const here = await warm();
      return [...left].filter((cell) => here.has(cell)).length > CELLS_MIN;
    }, WAIT_MS);

    const { report: taken } = await user.json(['snapshot', 'create', '--world', 'procession']);
    expect(taken).toMatchObject({ entities: PEOPLE + STATUES + 2 });

    run.kill('SIGINT');
    const { code, report } = await user.ended(run);
    process.stdout.write(
      `${left.size} cells left, ${report.kills} kills; born in one that slept in ${born.ms} ms\n`,
    );
    expect([code, report.reasons], run.stderr).toEqual([0, []]);
    const entitiesEnd = PEOPLE + STATUES + 2;
    expect(report).toMatchObject({ lost: 0, duplicated: 0, created: 2, entitiesEnd });
    expect(report.kills).toBeGreaterThan(1);
  },
  120_000 + AWAY_MS_MAX,
);
