/** One size of a world: real pods run it, and what each process uses for a tick is counted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { openGliders } from './gliders.ts';
import { openPods, type Pods } from './pods.ts';

export type Size = {
  readonly entities: number;
  readonly cells: number;
  readonly pods: number;
};

/** For one tick of the whole world. */
export type Cost = Size & {
  /** CPU of all pods together. */
  readonly podMs: number;
  /** CPU of the server's main thread, which is what runs out. */
  readonly redisMs: number;
  readonly commands: number;
  /** To the server and from it. */
  readonly bytes: number;
};

export type Ticks = { readonly warm: number; readonly measured: number };

const TICK_HZ_MAX = 20;
/** CPU of a second of the world that a small machine has to give. */
const BUDGET_S = 0.8;
/** Roughly what a tick takes: only to choose a rate that the machine holds. */
const ENTITY_S = 0.8e-6;
const CELL_S = 30e-6;
const POD_S = 5e-3;
const LOOK_MS = 20;
const TICKS_MS_MAX = 120_000;

export async function costOf(size: Size, ticks: Ticks): Promise<Cost> {
  const { entities, cells } = size;
  const tickS = entities * ENTITY_S + cells * CELL_S + size.pods * POD_S;
  const tickHz = Math.min(TICK_HZ_MAX, Math.max(1, Math.floor(BUDGET_S / tickS)));
  const world = await openGliders({ entities, cells, tickHz });
  try {
    const pods = await openPods(world.folder);
    const redis = new Redis(pods.redis.url);
    try {
      const urls = await startAll(pods, size.pods);
      await pods.run();
      await untilTicks(urls, cells * ticks.warm);
      const before = await look(pods, redis, urls);
      await untilTicks(urls, before.cellTicks + cells * ticks.measured);
      const after = await look(pods, redis, urls);
      return { ...size, ...difference(before, after, cells) };
    } finally {
      redis.disconnect();
      await pods.close();
    }
  } finally {
    await world.close();
  }
}

/** Where the figures of each pod are. */
async function startAll(pods: Pods, count: number): Promise<string[]> {
  const started = Array.from({ length: count }, () => pods.start(count));
  const ready = await Promise.all(
    started.map(({ child }) => child.take(({ msg }) => msg === 'ready')),
  );
  await pods.untilHeld(true);
  return ready.map(({ url }) => `${String(url)}/metrics`);
}

async function cellTicksOf(urls: readonly string[]): Promise<number> {
  const counts = await Promise.all(
    urls.map(async (url) => {
      const text = await (await fetch(url)).text();
      return Number(/^leasehold_cell_ticks_total\S* (.*)$/m.exec(text)?.[1]);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function untilTicks(urls: readonly string[], cellTicks: number): Promise<void> {
  const deadlineMs = performance.now() + TICKS_MS_MAX;
  while ((await cellTicksOf(urls)) < cellTicks) {
    if (performance.now() > deadlineMs) throw new Error('the pods do not tick');
    await sleep(LOOK_MS);
  }
}

type Look = {
  readonly cellTicks: number;
  readonly podS: number;
  readonly redisS: number;
  readonly bytes: number;
  /** By pod, of one moment each: commands sent, and rounds ticked. */
  readonly sent: ReadonlyMap<string, { readonly commands: number; readonly ticks: number }>;
};

async function look(pods: Pods, redis: Redis, urls: readonly string[]): Promise<Look> {
  const [cellTicks, facts, records] = await Promise.all([
    cellTicksOf(urls),
    redis.info(),
    pods.records(),
  ]);
  const fact = (name: string): number =>
    Number(new RegExp(`^${name}:([0-9.]+)`, 'm').exec(facts)?.[1]);
  const cpus = [...pods.alive.values()].map(({ child }) => child.cpuSeconds());
  const sent = records.map(({ pod, report }) => {
    const { commands = 0, ticks = 0 } = report;
    return [pod, { commands, ticks }] as const;
  });
  return {
    cellTicks,
    podS: cpus.reduce((sum, s) => sum + s, 0),
    redisS: fact('used_cpu_user_main_thread') + fact('used_cpu_sys_main_thread'),
    bytes: fact('total_net_input_bytes') + fact('total_net_output_bytes'),
    sent: new Map(sent),
  };
}

function difference(before: Look, after: Look, cells: number): Omit<Cost, keyof Size> {
  const ticks = (after.cellTicks - before.cellTicks) / cells;
  let commands = 0;
  for (const [pod, { commands: sent, ticks: rounds }] of after.sent) {
    const earlier = before.sent.get(pod) ?? { commands: 0, ticks: 0 };
    commands += (sent - earlier.commands) / Math.max(1, rounds - earlier.ticks);
  }
  return {
    podMs: ((after.podS - before.podS) * 1_000) / ticks,
    redisMs: ((after.redisS - before.redisS) * 1_000) / ticks,
    bytes: (after.bytes - before.bytes) / ticks,
    commands,
  };
}
