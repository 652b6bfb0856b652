/**
 * The write path of one pod: 16,384 entities in 64 cells, all moving in every tick, simulated,
 * encoded and committed under their leases, checkpoints and GEO index included. Beside it, in the
 * same rounds: one HSET and one GEOADD per entity, and the same bytes as bare XADDs.
 */
import { Redis } from 'ioredis';
import { type Benchmark, type Figure, median } from './figure.ts';
import { openHeldDrift } from './world.ts';

const SIDE = 8;
const PER_CELL = 256;
const ENTITIES = SIDE * SIDE * PER_CELL;
const ROUNDS = 7;
const TICKS = 40;
/** What a world has unless it says otherwise: a cell / 16. */
const INDEX_RESOLUTION = 100 / 16;

export const commit: Benchmark = {
  tag: 'commit',
  what: `${ENTITIES.toLocaleString('en-US')} entities in ${SIDE * SIDE} cells, one pod`,
  async run(say) {
    const pod = await openHeldDrift(SIDE, PER_CELL);
    const redis = new Redis(pod.redis.url);
    try {
      const rounds: Round[] = [];
      await runTicks(pod, TICKS);
      for (let n = 0; n < ROUNDS; n++) {
        const round = await runRound(pod, redis, n);
        rounds.push(round);
        say(`round ${n + 1} of ${ROUNDS}: ${(round.pod / 1e6).toFixed(2)} M updates/s`);
      }
      return figuresOf(rounds);
    } finally {
      redis.disconnect();
      await pod.close();
    }
  },
};

/** Updates a second, and what one costs Redis. */
type Round = Readonly<Record<'pod' | 'write' | 'plain' | 'xadd' | 'redisSeconds', number>>;

async function runRound(pod: Pod, redis: Redis, round: number): Promise<Round> {
  const updates = TICKS * ENTITIES;
  const before = await cpuSeconds(redis);
  const { seconds, writeSeconds, bodies } = await runTicks(pod, TICKS);
  return {
    pod: updates / seconds,
    write: updates / writeSeconds,
    redisSeconds: ((await cpuSeconds(redis)) - before) / updates,
    xadd: updates / (await bareXadds(redis, bodies)),
    plain: ENTITIES / (await keyPerEntity(redis, round)),
  };
}

function figuresOf(rounds: readonly Round[]): Figure[] {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const updates = of(({ write }) => write);
  const ratio = of(({ write, plain }) => write / plain);
  return [
    {
      ...{ name: 'component updates committed', value: updates, unit: '/s' },
      ...{ target: '≥ 2,000,000', isMet: updates >= 2e6 },
    },
    { name: 'the same with simulation and encoding', value: of(({ pod }) => pod), unit: '/s' },
    {
      ...{ name: 'times one HSET and one GEOADD per entity', value: ratio, unit: '×' },
      ...{ target: '≥ 20', isMet: ratio >= 20 },
    },
    { name: 'one HSET and one GEOADD per entity', value: of(({ plain }) => plain), unit: '/s' },
    {
      name: 'times the same bytes as bare XADDs',
      ...{ value: of(({ write, xadd }) => write / xadd), unit: '×' },
    },
    { name: 'Redis time per update', value: of((round) => round.redisSeconds) * 1e9, unit: 'ns' },
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
      const draft = holding.prepare(tick, result, [], pod.ttlMs);
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
async function keyPerEntity(redis: Redis, round: number): Promise<number> {
  const startedMs = performance.now();
  for (let from = 0; from < ENTITIES; from += 1_024) {
    const pipeline = redis.pipeline();
    for (let id = from; id < from + 1_024; id++) {
      const x = (id % 128) / 128 + round / 1_000;
      const y = Math.floor(id / 128) / 128;
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
async function bareXadds(redis: Redis, bodies: readonly Uint8Array[]): Promise<number> {
  const startedMs = performance.now();
  for (let tick = 0; tick < TICKS; tick++) {
    const pipeline = redis.pipeline();
    for (const [cell, body] of bodies.entries()) {
      pipeline.xadd(`bare:${cell}`, 'MAXLEN', '128', '*', 'b', Buffer.from(body));
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
