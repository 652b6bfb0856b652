/**
 * What things take, in bytes: a cell in Redis, one that nobody is in and one with 256 entities that
 * all move; a pod, by its entities; a gateway, by its clients. Processes are measured after their
 * garbage has been collected.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Area } from '@leasehold/protocol/view';
import { Redis } from 'ioredis';
import type { Chart } from './charts.ts';
import type { Benchmark, Figure } from './figure.ts';
import { leastSquares, type Point } from './fit.ts';
import { openGliders } from './gliders.ts';
import { CELL, openLiveMap, type Used } from './live-map.ts';
import { openPods } from './pods.ts';
import type { Task } from './view-clients.ts';
import { openDrift, openHeldDrift } from './world.ts';

const PROBE = fileURLToPath(new URL('gateway-probe.ts', import.meta.url));
const CLIENTS = fileURLToPath(new URL('view-clients.ts', import.meta.url));
const IDLE_SIDE = 32;
const IDLE_BYTES_MAX = 8 * 1024;
const BUSY_SIDE = 8;
const PER_CELL = 256;
const INDEX_RESOLUTION = 100 / 4;
/** As a realtime pod sets it. */
const CHECKPOINT_EVERY = 32;
const KB = 1_024;
/** Pods of 256 cells; the largest is one that a core moves a few times a second. */
const POD_CELLS = 256;
const POD_HZ = 4;
/** Bytes of a client of a gateway. */
const CLIENT_KB_MAX = 256;

type Extent = {
  readonly ticks: number;
  readonly entities: readonly number[];
  readonly clients: number;
  readonly seconds: number;
};
const FULL: Extent = {
  ticks: 200,
  entities: [1_024, 16_384, 65_536, 131_072],
  clients: 100,
  seconds: 2,
};
const QUICK: Extent = { ticks: 10, entities: [256, 4_096], clients: 5, seconds: 0.3 };

export const memory: Benchmark = {
  tag: 'memory',
  what: 'bytes of an idle cell, a busy cell, a pod by its entities, a gateway by its clients',
  async run(say, { isQuick }) {
    const extent = isQuick ? QUICK : FULL;
    const idle = await idleCell();
    say(`an idle cell: ${idle.toFixed(0)} bytes`);
    const busy = idle + (await busyCell(extent.ticks));
    say(`a busy cell: ${busy.toFixed(0)} bytes`);
    const pods: PodUse[] = [];
    for (const entities of extent.entities) {
      pods.push({ entities, ...(await podUse(entities)) });
      say(`a pod of ${entities.toLocaleString('en-US')} entities`);
    }
    const figures = [
      {
        ...{ name: 'an idle, held cell in Redis', value: idle, unit: 'bytes' },
        ...{ target: '≤ 8,192', isMet: idle <= IDLE_BYTES_MAX },
      },
      { name: `a cell of ${PER_CELL} that all move, in Redis`, value: busy / KB, unit: 'KB' },
      { name: 'the same for each of its entities', value: busy / PER_CELL, unit: 'bytes' },
      ...podFigures(pods),
      ...(await gatewayFigures(extent, say)),
    ];
    const plain = ({ name, value, unit }: Figure): Figure => ({ name, value, unit });
    return { figures: isQuick ? figures.map(plain) : figures, charts: [podChart(pods)] };
  },
};

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1] ?? 0);
}

/** What a lease on a cell without a single entity adds. */
async function idleCell(): Promise<number> {
  const empty = await openDrift(IDLE_SIDE, 0);
  const redis = new Redis(empty.redis.url);
  try {
    const before = await usedBytes(redis);
    await empty.acquireAll();
    return ((await usedBytes(redis)) - before) / empty.grid.cells;
  } finally {
    redis.disconnect();
    await empty.close();
  }
}

/** What log, checkpoints and index add to a held cell. */
async function busyCell(ticks: number): Promise<number> {
  const [idle, busy] = [await heldBytes(0, 0), await heldBytes(PER_CELL, ticks)];
  return (busy - idle) / BUSY_SIDE ** 2;
}

async function heldBytes(perCell: number, ticks: number): Promise<number> {
  const world = await openHeldDrift(BUSY_SIDE, perCell);
  const redis = new Redis(world.redis.url);
  try {
    for (const holding of world.holdings) holding.checkpointEvery = CHECKPOINT_EVERY;
    for (let n = 0; n < ticks; n++) {
      const commits = world.step().map(({ holding, tick, result }) => {
        const draft = holding.prepare(tick, result, { arrivals: [], posts: [] }, world.ttlMs);
        const geo = holding.index.updates(world.engine, holding.state, INDEX_RESOLUTION);
        if (geo !== undefined) draft.geo = geo;
        return draft;
      });
      await world.write(commits);
    }
    return await usedBytes(redis);
  } finally {
    redis.disconnect();
    await world.close();
  }
}

type PodUse = { readonly entities: number } & Pick<Used, 'rss' | 'heapUsed' | 'external'>;

async function podUse(entities: number): Promise<Used> {
  const world = await openGliders({ entities, cells: POD_CELLS, tickHz: POD_HZ });
  try {
    const pods = await openPods(world.folder);
    try {
      const { child } = pods.start(1, ['--expose-gc', '--import', PROBE]);
      await pods.untilHeld();
      await pods.run();
      await sleep((1_000 / POD_HZ) * 8);
      child.signal('SIGUSR2');
      return (await child.take(({ type }) => type === 'used')) as unknown as Used;
    } finally {
      await pods.close();
    }
  } finally {
    await world.close();
  }
}

const residentOf = (pods: readonly PodUse[]): Point[] =>
  pods.map(({ entities, rss }) => [entities, rss] as const);
const heapOf = (pods: readonly PodUse[]): Point[] =>
  pods.map(({ entities, heapUsed, external }) => [entities, heapUsed + external] as const);

function podFigures(pods: readonly PodUse[]): Figure[] {
  const resident = leastSquares(residentOf(pods));
  const heap = leastSquares(heapOf(pods));
  const name = `a pod of ${POD_CELLS} cells`;
  return [
    { name: `${name} without entities, resident`, value: resident.intercept / KB ** 2, unit: 'MB' },
    { name: `${name} without entities, heap`, value: heap.intercept / KB ** 2, unit: 'MB' },
    { name: 'an entity more in a pod, resident', value: resident.slope, unit: 'bytes' },
    { name: 'an entity more in a pod, heap and buffers', value: heap.slope, unit: 'bytes' },
    { name: 'an entity more in a pod, heap: r² of the line', value: heap.r2, unit: '' },
  ];
}

function podChart(pods: readonly PodUse[]): Chart {
  const inMb = (points: readonly Point[]): Point[] => points.map(([x, y]) => [x, y / KB ** 2]);
  const [resident, heap] = [inMb(residentOf(pods)), inMb(heapOf(pods))];
  return {
    title: 'Memory of a pod, by its entities',
    x: { label: 'entities' },
    y: { label: 'MB' },
    series: [
      { name: 'resident', points: resident, line: leastSquares(resident) },
      { name: 'heap and buffers', points: heap, line: leastSquares(heap) },
    ],
  };
}

const MAP_SIDE = 10;
const GLIDERS = 2_000;

async function gatewayFigures(
  { clients: count, seconds }: Extent,
  say: (line: string) => void,
): Promise<Figure[]> {
  const map = await openLiveMap({ columns: MAP_SIDE, rows: MAP_SIDE, gliders: GLIDERS });
  try {
    const clients = map.start([CLIENTS], {});
    const watch = async (areas: readonly Area[]): Promise<Used> => {
      const task: Task = { type: 'watch', url: map.url, areas, seconds };
      clients.say(task);
      await clients.take(({ type }) => type === 'watched');
      const used = await map.used();
      clients.say({ type: 'leave' });
      await clients.take(({ type }) => type === 'left');
      return used;
    };
    const whole: Area = { kind: 'world' };
    // The cells are followed once, whoever looks at them.
    const idle = await watch([whole]);
    say(`${count} clients of a gateway`);
    const same = await watch(Array.from({ length: count }, () => whole));
    const own = await watch(Array.from({ length: count }, (_, i) => part(i)));
    const heap = ({ heapUsed, external }: Used): number => heapUsed + external;
    const each = (used: Used): number => (heap(used) - heap(idle)) / count / KB;
    return [
      { name: 'a gateway, resident', value: idle.rss / KB ** 2, unit: 'MB' },
      { name: 'a client of a gateway, all in the same area', value: each(same), unit: 'KB' },
      {
        ...{ name: 'a client of a gateway, an area of its own', value: each(own), unit: 'KB' },
        ...{ target: `≤ ${CLIENT_KB_MAX}`, isMet: each(own) <= CLIENT_KB_MAX },
      },
    ];
  } finally {
    await map.close();
  }
}

/** A box of 4 by 4 cells that no border of a cell fits. */
function part(i: number): Area {
  const size = MAP_SIDE * CELL;
  const minX = (i * 61.3 + 37.3) % size;
  const minY = (i * 39.1 + 58.9) % size;
  const side = 4 * CELL;
  return { kind: 'box', minX, minY, maxX: (minX + side) % size, maxY: (minY + side) % size };
}
