/**
 * The write path of one pod: 16,384 entities in 64 cells, all moving in every tick, simulated,
 * encoded and committed under their leases, checkpoints and GEO index included. Beside it, in the
 * same rounds: one HSET and one GEOADD per entity, and the same bytes as bare XADDs.
 */
import { Redis } from 'ioredis';
import { Holding } from '@leasehold/pod/holding';
import type { Benchmark } from './figure.ts';
import { median } from './figure.ts';
import { openDrift } from './world.ts';

const SIDE = 8;
const PER_CELL = 256;
const ENTITIES = SIDE * SIDE * PER_CELL;
const ROUNDS = 7;
const TICKS = 40;
const INDEX_RESOLUTION = 0.1;

export const commit: Benchmark = {
  tag: 'commit',
  what: `${ENTITIES.toLocaleString('en-US')} entities in ${SIDE * SIDE} cells, one pod`,
  async run(say) {
    const world = await openDrift(SIDE, PER_CELL);
    const redis = new Redis(world.redis.url);
    try {
      const pod = await openPod(world);
      const rates = { pod: [] as number[], write: [] as number[], plain: [] as number[], xadd: [] as number[] };
      const cpu: number[] = [];
      await pod.ticks(TICKS);
      for (let round = 0; round < ROUNDS; round++) {
        const before = await cpuSeconds(redis);
        const { seconds, writeSeconds, bodies } = await pod.ticks(TICKS);
        cpu.push(((await cpuSeconds(redis)) - before) / (TICKS * ENTITIES));
        rates.pod.push((TICKS * ENTITIES) / seconds);
        rates.write.push((TICKS * ENTITIES) / writeSeconds);
        rates.xadd.push((TICKS * ENTITIES) / (await bareXadds(redis, bodies)));
        rates.plain.push(ENTITIES / (await keyPerEntity(redis, round)));
        say(`round ${round + 1} of ${ROUNDS}: ${(rates.pod.at(-1) as number / 1e6).toFixed(2)} M updates/s`);
      }
      const ratio = median(rates.write.map((rate, i) => rate / (rates.plain[i] as number)));
      const updates = median(rates.write);
      return [
        { name: 'component updates committed', value: updates, unit: '/s', target: '≥ 2,000,000', isMet: updates >= 2e6 },
        { name: 'the same with simulation and encoding', value: median(rates.pod), unit: '/s' },
        { name: 'times one HSET and one GEOADD per entity', value: ratio, unit: '×', target: '≥ 20', isMet: ratio >= 20 },
        { name: 'one HSET and one GEOADD per entity', value: median(rates.plain), unit: '/s' },
        { name: 'times the same bytes as bare XADDs', value: median(rates.write.map((rate, i) => rate / (rates.xadd[i] as number))), unit: '×' },
        { name: 'Redis time per update', value: median(cpu) * 1e9, unit: 'ns' },
      ];
    } finally {
      redis.disconnect();
      await world.close();
    }
  },
};

async function openPod(world: Awaited<ReturnType<typeof openDrift>>) {
  const { engine, store, grid } = world;
  const grants = await world.acquireAll();
  const images = await store.load(grants.map(({ claim }) => ({ cell: claim.cell })));
  const holdings = grants.map((grant, i) => {
    const state = engine.createCell(grant.claim.cell);
    const image = images[i];
    if (image !== undefined) state.restore(image);
    return new Holding(grant.claim, grid.blockOf(grant.claim.cell), state, grant.head, 0);
  });
  return {
    /** Runs ticks; `writeSeconds` is from the encoded bodies to the last reply. */
    async ticks(count: number) {
      let writeSeconds = 0;
      let bodies: Uint8Array[] = [];
      const startedMs = performance.now();
      for (let n = 0; n < count; n++) {
        bodies = [];
        const results = holdings.map((holding) => {
          const tick = holding.state.tick + 1;
          const result = holding.state.step({
            ...{ tick, outSeq: holding.outSeq, arrivals: [] },
            view: () => undefined,
          });
          bodies.push(result.body);
          return { tick, result };
        });
        const sentMs = performance.now();
        const commits = holdings.map((holding, i) => {
          const { tick, result } = results[i] as (typeof results)[number];
          const draft = holding.prepare(tick, result, [], world.ttlMs);
          const geo = holding.index.updates(engine, holding.state, INDEX_RESOLUTION * 1_000);
          if (geo !== undefined) draft.geo = geo;
          return draft;
        });
        const replies = await store.commit(commits);
        for (const [i, reply] of replies.entries()) {
          if (reply.tag !== 'OK') throw new Error(`commit refused: ${JSON.stringify(reply)}`);
          holdings[i]?.settle(0, false);
        }
        writeSeconds += (performance.now() - sentMs) / 1000;
      }
      return { seconds: (performance.now() - startedMs) / 1000, writeSeconds, bodies };
    },
  };
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

/** As many ticks of the same bodies, appended without a lease, a chain or an answer worth having. */
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
