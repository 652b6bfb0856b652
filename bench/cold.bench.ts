/**
 * Cells that sleep in PostgreSQL: what a world of 100,000 of them with 500 awake takes of Redis, beside a
 * world of 500; how long one takes to wake, with what waits for it; and how fast they leave.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LiveStore, openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import { COOL_CELLS_MAX, type Commit, entryHash } from '@leasehold/protocol';
import { openDatabase } from '@leasehold/servers';
import { ColdCells } from '@leasehold/snapshot-store';
import { Grid } from '@leasehold/spatial';
import { Redis } from 'ioredis';
import { type Benchmark, type Figure, quantiles } from './figure.ts';
import { startRedis } from './redis.ts';

type Size = { readonly columns: number; readonly rows: number };
type Extent = { readonly all: Size; readonly awake: Size; readonly wakes: number };
const FULL: Extent = {
  all: { columns: 400, rows: 250 },
  awake: { columns: 25, rows: 20 },
  wakes: 300,
};
const QUICK: Extent = {
  all: { columns: 20, rows: 20 },
  awake: { columns: 5, rows: 5 },
  wakes: 20,
};
/** Of eighty gliders: all that they are, and what a tick tells of them when all move. */
const STATE_BYTES = 2_048;
const TICK_BYTES = 560;
/** How many ticks of cells that are awake are in Redis, with a checkpoint in so many of them. */
const TICKS = 96;
const CHECKPOINT_EVERY = 32;
const LEASE_MS = 60_000;
const LAYER = 'main';
const COST_MAX = 1.1;
const WAKE_MS_MAX = 100;
const TOGETHER = 256;

export const cold: Benchmark = {
  tag: 'cold',
  what: 'a world of 100,000 cells with 500 awake, and one that wakes',
  async run(say, { isQuick }) {
    const extent = isQuick ? QUICK : FULL;
    const home = mkdtempSync(join(tmpdir(), 'leasehold-bench-'));
    // Where this runs as root, the server runs as somebody who must get through here.
    chmodSync(home, 0o711);
    const env = { ...process.env, DATABASE_URL: '' };
    const database = await openDatabase({ home, env });
    try {
      const small = await bytesOf(extent.awake);
      say(`${cellsOf(extent.awake)} cells: ${Math.round(small / 1_024)} KB of Redis`);
      const large = await sleepers(extent, database.databaseUrl, say);
      const asleep = cellsOf(extent.all) - cellsOf(extent.awake);
      const ratio = large.bytes / small;
      const figures: Figure[] = [
        {
          ...{ name: 'Redis, times what only the cells awake take', value: ratio, unit: '×' },
          ...{ target: `≤ ${COST_MAX}`, isMet: ratio <= COST_MAX },
        },
        {
          name: 'a cell that sleeps, in Redis, its part of its block included',
          value: (large.bytes - small) / asleep,
          unit: 'bytes',
        },
        { name: 'cells that leave in a second', value: asleep / large.leavingS, unit: '/s' },
        ...wakeFigures('acquired and read', large.acquireMs),
        ...wakeFigures('posted to', large.postMs),
      ];
      const plain = ({ name, value, unit }: Figure): Figure => ({ name, value, unit });
      return isQuick ? figures.map(plain) : figures;
    } finally {
      await database.close();
      rmSync(home, { recursive: true, force: true });
    }
  },
};

const cellsOf = ({ columns, rows }: Size): number => columns * rows;

function wakeFigures(what: string, ms: readonly number[]): Figure[] {
  const { p50, p99 } = quantiles(ms);
  const name = `a cell that slept, until it is ${what}`;
  return [
    { name: `${name}: p50`, value: p50, unit: 'ms' },
    {
      ...{ name: `${name}: p99`, value: p99, unit: 'ms' },
      ...{ target: `≤ ${WAKE_MS_MAX}`, isMet: p99 <= WAKE_MS_MAX },
    },
  ];
}

const placeOf = ({ columns, rows }: Size) => ({
  ...{ world: 'w', incarnation: 1, layer: LAYER, layers: [LAYER] },
  grid: new Grid({ kind: 'plane', width: columns * 100, height: rows * 100, cell: 100 }),
});

/** A world of its own on a server of its own. */
async function withWorld<T>(
  size: Size,
  coldUrl: string,
  use: (store: LiveStore, used: () => Promise<number>) => Promise<T>,
): Promise<T> {
  const server = await startRedis();
  const redis = new Redis(server.url);
  try {
    const place = placeOf(size);
    const empty = await usedBytes(redis);
    const admin = await openWorldAdmin({ ...place, url: server.url });
    await admin.createBlocks();
    await admin.close();
    const kept = coldUrl === '' ? {} : { cold: new ColdCells({ ...place, url: coldUrl }) };
    const store = await openLiveStore({ ...place, url: server.url, timeoutMs: 30_000, ...kept });
    try {
      return await use(store, async () => (await usedBytes(redis)) - empty);
    } finally {
      await store.close();
    }
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await redis.info('memory'))?.[1] ?? 0);
}

/** Cells in which people move. */
async function live(store: LiveStore, cells: readonly number[]): Promise<void> {
  for (let from = 0; from < cells.length; from += TOGETHER) {
    const some = cells.slice(from, from + TOGETHER);
    let commits = await firstOf(store, some);
    for (let tick = 1; tick <= TICKS; tick++) {
      const isWhole = tick % CHECKPOINT_EVERY === 0;
      const sent = isWhole
        ? commits.map((commit) => ({ ...commit, checkpoint: randomBytes(STATE_BYTES) }))
        : commits;
      await written(store, sent);
      commits = commits.map(nextOf);
    }
  }
}

/** Cells that were written once and left, as they are before they may sleep. */
async function leave(store: LiveStore, cells: readonly number[]): Promise<void> {
  for (let from = 0; from < cells.length; from += TOGETHER) {
    const commits = await firstOf(store, cells.slice(from, from + TOGETHER));
    await written(
      store,
      commits.map((commit) => {
        return { ...commit, checkpoint: randomBytes(STATE_BYTES), ending: 'release' as const };
      }),
    );
  }
}

async function written(store: LiveStore, commits: readonly Commit[]): Promise<void> {
  const refused = (await store.commit(commits)).find(({ tag }) => tag !== 'OK');
  if (refused !== undefined) throw new Error(`not committed: ${refused.tag}`);
}

function nextOf({ claim, seq: before, hash: prevHash, tick: last }: Commit): Commit {
  const seq = before + 1;
  const tick = last + 1;
  const body = randomBytes(TICK_BYTES);
  return {
    ...{ claim, seq, prevHash, tick, body, idCounter: 0, ttlMs: LEASE_MS, cursors: [], out: [] },
    hash: entryHash(prevHash, seq, claim.epoch, tick, body),
  };
}

async function firstOf(store: LiveStore, cells: readonly number[]): Promise<Commit[]> {
  const requests = cells.map((cell) => ({ cell, nonce: `a.${cell}`, ttlMs: LEASE_MS }));
  return (await store.acquire(requests)).map((reply): Commit => {
    if (reply.tag !== 'GRANTED') throw new Error(`not granted: ${reply.tag}`);
    const { claim, head } = reply;
    return nextOf({ claim, seq: head.seq, hash: head.hash, tick: head.tick } as Commit);
  });
}

const numbersOf = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

function bytesOf(size: Size): Promise<number> {
  return withWorld(size, '', async (store, used) => {
    await live(store, numbersOf(0, cellsOf(size)));
    return used();
  });
}

async function sleepers({ all, awake, wakes }: Extent, coldUrl: string, say: (l: string) => void) {
  return withWorld(all, coldUrl, async (store, used) => {
    const sleeping = numbersOf(cellsOf(awake), cellsOf(all));
    await live(store, numbersOf(0, cellsOf(awake)));
    let leavingS = 0;
    for (let from = 0; from < sleeping.length; from += COOL_CELLS_MAX) {
      const some = sleeping.slice(from, from + COOL_CELLS_MAX);
      await leave(store, some);
      const startedMs = performance.now();
      await cool(store, some);
      leavingS += (performance.now() - startedMs) / 1_000;
      if (from % (COOL_CELLS_MAX * 16) === 0) say(`${from + some.length} cells sleep`);
    }
    const bytes = await used();
    const step = Math.floor(sleeping.length / (wakes * 2));
    const chosen = numbersOf(0, wakes * 2).map((i) => sleeping[i * step] as number);
    const acquireMs: number[] = [];
    for (const cell of chosen.slice(0, wakes)) {
      const startedMs = performance.now();
      const [reply] = await store.acquire([{ cell, nonce: `b.${cell}`, ttlMs: LEASE_MS }]);
      if (reply?.tag !== 'GRANTED') throw new Error(`not granted: ${reply?.tag}`);
      const [image] = await store.load([{ cell, head: reply.head }]);
      if (image?.checkpoint?.body.length !== STATE_BYTES) throw new Error('not what it was');
      acquireMs.push(performance.now() - startedMs);
    }
    const postMs: number[] = [];
    for (const cell of chosen.slice(wakes)) {
      const startedMs = performance.now();
      const [reply] = await store.post([{ cell, id: `p${cell}`, body: randomBytes(64) }]);
      if (reply?.tag !== 'OK') throw new Error(`not posted: ${reply?.tag}`);
      postMs.push(performance.now() - startedMs);
    }
    return { bytes, leavingS, acquireMs, postMs };
  });
}

/** Until all of them have left. */
async function cool(store: LiveStore, cells: readonly number[]): Promise<void> {
  for (let left = cells; left.length > 0; ) {
    const replies = await store.cool(left);
    const wrong = replies.find((reply) => reply.tag === 'OPEN' || reply.tag === 'OFF');
    if (wrong !== undefined) throw new Error(`a cell does not leave: ${JSON.stringify(wrong)}`);
    left = left.filter((_, i) => replies[i]?.tag !== 'COLD');
  }
}
