/**
 * A snapshot of a million entities, from encoded cells to rows that people can ask, against a bare
 * COPY of the same rows into a table without an index; and a second one, after a twentieth of the
 * cells has changed. Then a restore of it, against reading the same bytes and writing them as they are.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase, openServers } from '@leasehold/servers';
import pg from 'pg';
import { Child } from './child.ts';
import { type Benchmark, type Figure, median } from './figure.ts';

const WORKER = fileURLToPath(new URL('snapshot-worker.ts', import.meta.url));
const CHANGED_PART = 0.05;
const ROUNDS = 5;

type Size = { readonly side: number; readonly perCell: number };
const SIZE: Size = { side: 32, perCell: 977 };
const QUICK: Size = { side: 4, perCell: 50 };

type Round = Readonly<
  Record<
    'copy' | 'first' | 'second' | 'firstBytes' | 'secondBytes' | 'restore' | 'reread' | 'rssMb',
    number
  >
>;

export const snapshot: Benchmark = {
  tag: 'snapshot',
  what: 'a snapshot of 1,000,000 entities in 1,024 cells, and the next one',
  async run(say, { isQuick }) {
    const home = mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
    // Where this runs as root, the server runs as somebody who must get through here.
    chmodSync(home, 0o711);
    // A server that others use, as DATABASE_URL might name, would measure them.
    const env = { ...process.env, DATABASE_URL: '', REDIS_URL: '' };
    const server = await openDatabase({ home, env });
    const redis = await openServers({ home, env });
    try {
      const rounds: Round[] = [];
      const size = isQuick ? QUICK : SIZE;
      const count = isQuick ? 1 : ROUNDS;
      for (let n = 0; n < count; n++) {
        const bench = { url: server.databaseUrl, redisUrl: redis.redisUrl, home, size };
        const round = await runRound(bench, n);
        rounds.push(round);
        const times = (round.first / round.copy).toFixed(2);
        say(`round ${n + 1} of ${count}: ${times} times as long as a bare COPY`);
      }
      return figuresOf(rounds, size);
    } finally {
      await redis.close();
      await server.close();
      rmSync(home, { recursive: true, force: true });
    }
  },
};

type Bench = {
  readonly url: string;
  readonly redisUrl: string;
  readonly home: string;
  readonly size: Size;
};

async function runRound({ url, redisUrl, home, size }: Bench, n: number): Promise<Round> {
  const work = (...words: string[]) => workOf({ url, redisUrl }, words);
  const file = join(home, 'rows');
  const world = [size.side, size.perCell, n].map(String);
  const before = await sizeOf(url);
  const first = await work('take', `a${n}`, ...world, '0');
  const between = await sizeOf(url);
  await work('dump', file);
  const copy = await work('copy', file);
  const start = await sizeOf(url);
  const second = await work('take', `b${n}`, ...world, String(CHANGED_PART));
  const after = await sizeOf(url);
  const reread = await work('reread', `a${n}`);
  const restore = await work('restore', `a${n}`, String(size.side));
  await work('remove', `a${n}`, `b${n}`);
  return {
    copy: copy.seconds,
    first: first.seconds,
    second: second.seconds,
    firstBytes: between - before,
    secondBytes: after - start,
    ...{ restore: restore.seconds, reread: reread.seconds },
    rssMb: Math.max(first.rssMb, second.rssMb, restore.rssMb),
  };
}

async function workOf(
  { url, redisUrl }: Pick<Bench, 'url' | 'redisUrl'>,
  words: readonly string[],
): Promise<{ seconds: number; rssMb: number }> {
  // What the one before left to be written would be charged to this one.
  await withClient(url, (client) => client.query('checkpoint'));
  const child = new Child([WORKER, ...words], { DATABASE_URL: url, REDIS_URL: redisUrl });
  try {
    return (await child.take(() => true)) as { seconds: number; rssMb: number };
  } finally {
    await child.ended();
  }
}

function sizeOf(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const text = 'select pg_database_size(current_database()) as bytes';
    return Number((await client.query<{ bytes: string }>(text)).rows[0]?.bytes);
  });
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function figuresOf(rounds: readonly Round[], { side, perCell }: Size): Figure[] {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const entities = side * side * perCell;
  const speed = of(({ copy, first }) => copy / first);
  const time = of(({ first, second }) => (second / first) * 100);
  const bytes = of(({ firstBytes, secondBytes }) => (secondBytes / firstBytes) * 100);
  const back = of(({ restore, reread }) => reread / restore);
  const rssMb = Math.max(...rounds.map((round) => round.rssMb));
  return [
    { name: 'entities', value: entities, unit: '' },
    { name: 'the first snapshot', value: of(({ first }) => first), unit: 's' },
    { name: 'a bare COPY of its rows', value: of(({ copy }) => copy), unit: 's' },
    {
      ...{ name: 'speed against the bare COPY', value: speed, unit: '×' },
      ...{ target: '≥ 0.5', isMet: speed >= 0.5 },
    },
    { name: 'bytes of the first', value: of((round) => round.firstBytes) / 2 ** 20, unit: 'MB' },
    { name: 'the next, 5 % of the cells changed', value: of((round) => round.second), unit: 's' },
    {
      ...{ name: 'its time, of that of the first', value: time, unit: '%' },
      ...{ target: '≤ 15', isMet: time <= 15 },
    },
    {
      ...{ name: 'its bytes, of those of the first', value: bytes, unit: '%' },
      ...{ target: '≤ 15', isMet: bytes <= 15 },
    },
    { name: 'a restore', value: of((round) => round.restore), unit: 's' },
    {
      name: 'its bytes read and written as they are',
      value: of((round) => round.reread),
      unit: 's',
    },
    {
      ...{ name: 'speed of a restore against that', value: back, unit: '×' },
      ...{ target: '≥ 0.5', isMet: back >= 0.5 },
    },
    {
      ...{
        name: 'memory of the process that takes or restores it, at most',
        value: rssMb,
        unit: 'MB',
      },
      ...{ target: '≤ 512', isMet: rssMb <= 512 },
    },
  ];
}
