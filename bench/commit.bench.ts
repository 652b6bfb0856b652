/**
 * The write path of one pod: all entities move in every tick, are simulated, encoded and committed
 * under their leases, checkpoints, GEO index and append-only file included. Beside it, in the same
 * rounds: one HSET and one GEOADD per entity, and the same bytes as bare XADDs.
 */
import { Redis } from 'ioredis';
import { type Benchmark, type Figure, median } from './figure.ts';
import { openHeldDrift } from './world.ts';

type Size = {
  /** Cells along each side. */
  readonly side: number;
  readonly perCell: number;
  readonly ticks: number;
  /** Before anything is measured: until logs are as long as they become, 96 entries. */
  readonly ticksBefore: number;
};

const SIZES: readonly Size[] = [
  { side: 8, perCell: 256, ticks: 40, ticksBefore: 100 },
  { side: 16, perCell: 1_024, ticks: 8, ticksBefore: 100 },
];
const QUICK: readonly Size[] = [{ side: 8, perCell: 256, ticks: 4, ticksBefore: 4 }];
const ROUNDS = 7;
/** What a world has unless it says otherwise: a cell / 4. */
const INDEX_RESOLUTION = 100 / 4;

const entitiesOf = ({ side, perCell }: Size): number => side * side * perCell;
const count = (n: number): string => n.toLocaleString('en-US');

export const commit: Benchmark = {
  tag: 'commit',
  what: '16,384 and 262,144 moving entities, one pod',
  async run(say, { isQuick }) {
    const figures: Figure[] = [];
    for (const size of isQuick ? QUICK : SIZES) {
      const rounds = await measured(size, isQuick ? 1 : ROUNDS, say);
      figures.push(...figuresOf(size, rounds));
    }
    return figures;
  },
};

async function measured(size: Size, count: number, say: (line: string) => void): Promise<Round[]> {
  const pod = await openHeldDrift(size.side, size.perCell);
  const redis = new Redis(pod.redis.url);
  try {
    const rounds: Round[] = [];
    await runTicks(pod, size.ticksBefore);
    for (let n = 0; n < count; n++) {
      const round = await runRound({ pod, redis, size }, n);
      rounds.push(round);
      const speed = (round.write / 1e6).toFixed(2);
      say(`${entitiesOf(size)} entities, round ${n + 1} of ${count}: ${speed} M updates/s`);
    }
    return rounds;
  } finally {
    redis.disconnect();
    await pod.close();
  }
}

/** Updates a second, and seconds of Redis that one costs. */
type Round = Readonly<
  Record<'pod' | 'write' | 'plain' | 'xadd' | 'redisSeconds' | 'xaddSeconds', number>
>;

type Bench = { readonly pod: Pod; readonly redis: Redis; readonly size: Size };

async function runRound({ pod, redis, size }: Bench, round: number): Promise<Round> {
  const updates = size.ticks * entitiesOf(size);
  const before = await cpuSeconds(redis);
  const { seconds, writeSeconds, bodies } = await runTicks(pod, size.ticks);
  const between = await cpuSeconds(redis);
  const xadd = updates / (await bareXadds(redis, bodies, size.ticks));
  const after = await cpuSeconds(redis);
  return {
    pod: updates / seconds,
    write: updates / writeSeconds,
    redisSeconds: (between - before) / updates,
    xadd,
    xaddSeconds: (after - between) / updates,
    plain: entitiesOf(size) / (await keyPerEntity(redis, round, entitiesOf(size))),
  };
}

function figuresOf(size: Size, rounds: readonly Round[]): Figure[] {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const ratio = of(({ write, plain }) => write / plain);
  const toXadd = of(({ write, xadd }) => write / xadd);
  const ns = of(({ redisSeconds }) => redisSeconds) * 1e9;
  const name = (what: string): string => `${count(entitiesOf(size))} entities: ${what}`;
  return [
    { name: name('updates committed'), value: of(({ write }) => write), unit: '/s' },
    { name: name('with simulation and encoding'), value: of(({ pod }) => pod), unit: '/s' },
    {
      ...{ name: name('times one HSET and one GEOADD each'), value: ratio, unit: '×' },
      ...{ target: '≥ 60', isMet: ratio >= 60 },
    },
    {
      ...{ name: name('times the same bytes as bare XADDs'), value: toXadd, unit: '×' },
      ...{ target: '≥ 0.5', isMet: toXadd >= 0.5 },
    },
    {
      ...{ name: name('Redis time per update'), value: ns, unit: 'ns' },
      ...{ target: '≤ 100', isMet: ns <= 100 },
    },
    {
      name: name('Redis time of a bare XADD'),
      ...{ value: of(({ xaddSeconds }) => xaddSeconds) * 1e9, unit: 'ns' },
    },
    { name: name('one HSET and one GEOADD each'), value: of(({ plain }) => plain), unit: '/s' },
  ];
}

type Pod = Awaited<ReturnType<typeof openHeldDrift>>;

/** Runs ticks; `writeSeconds` is from the encoded bodies to the last reply. */
async function runTicks(pod: Pod, count: number) {
  let writeSeconds = 0;
  let bodies: Uint8Array[] = [];
  const startedMs = performance.now();
  for (let n = 0; n < count; n++) {
    const steps = pod.step();
    bodies = steps.map(({ result }) => result.body);
    const sentMs = performance.now();
    const commits = steps.map(({ holding, tick, result }) => {
      const draft = holding.prepare(tick, result, { arrivals: [], posts: [] }, pod.ttlMs);
      const geo = holding.index.updates(pod.engine, holding.state, INDEX_RESOLUTION);
      if (geo !== undefined) draft.geo = geo;
      return draft;
    });
    await pod.write(commits);
    writeSeconds += (performance.now() - sentMs) / 1000;
  }
  return { seconds: (performance.now() - startedMs) / 1000, writeSeconds, bodies };
}

/** The obvious design: a key and an index entry per entity. One tick, pipelined by the thousand. */
async function keyPerEntity(redis: Redis, round: number, entities: number): Promise<number> {
  const startedMs = performance.now();
  for (let from = 0; from < entities; from += 1_024) {
    const pipeline = redis.pipeline();
    for (let id = from; id < from + 1_024; id++) {
      const x = (id % 512) / 512 + round / 1_000;
      const y = Math.floor(id / 512) / 512;
      pipeline.hset(`plain:${id}`, 'x', String(x), 'y', String(y));
      pipeline.geoadd('plain:geo', x, y, String(id));
    }
    await pipeline.exec();
  }
  return (performance.now() - startedMs) / 1000;
}

/**
 * As many ticks of the same bodies, appended without a lease, a chain or an answer worth having.
 */
async function bareXadds(
  redis: Redis,
  bodies: readonly Uint8Array[],
  ticks: number,
): Promise<number> {
  const startedMs = performance.now();
  for (let tick = 0; tick < ticks; tick++) {
    const pipeline = redis.pipeline();
    for (const [cell, body] of bodies.entries()) {
      pipeline.xadd(`bare:${cell}`, 'MAXLEN', '96', '*', 'b', Buffer.from(body));
    }
    await pipeline.exec();
  }
  return (performance.now() - startedMs) / 1000;
}

async function cpuSeconds(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const of = (name: string) => Number(new RegExp(`${name}:([0-9.]+)`).exec(info)?.[1] ?? 0);
  return of('used_cpu_user_main_thread') + of('used_cpu_sys_main_thread');
}
