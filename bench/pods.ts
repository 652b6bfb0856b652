/** A stored world with a Redis of its own and pods as real processes, started, killed and drained. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fileRegistry, openLiveStore, openWorldAdmin, seedWorld } from '@leasehold/live-store';
import { type FeedEntry, type PodRecord, schemaJson } from '@leasehold/protocol';
import { compile } from '@leasehold/sdk/engine';
import { loadWorld, type Manifest } from '@leasehold/world';
import { Child } from './child.ts';
import { startRedis } from './redis.ts';

const SIMULATOR = fileURLToPath(new URL('../apps/simulator/src/main.ts', import.meta.url));
const AUTHORITY = fileURLToPath(new URL('../apps/authority/src/main.ts', import.meta.url));
const LOOK_MS = 20;
const HELD_MS_MAX = 120_000;
/** Some may get nothing, when blocks are few. */
const SHARED_MS_MAX = 5_000;

export type BenchPod = {
  readonly name: string;
  readonly child: Child;
  /** On this process's clock. */
  readonly startedMs: number;
};

export type Pods = Awaited<ReturnType<typeof openPods>>;

/** What its registry says of it, for those who have no folder of it. */
function fixedOf({ space, blockCells, seed }: Manifest): Record<string, string | number> {
  const settings = Object.entries(space).map(([key, value]) => [`space.${key}`, value]);
  return { ...Object.fromEntries(settings), blockCells, seed };
}

/** Seeds the world of a folder. Its time stands still until `run`. */
export async function openPods(folder: string) {
  const redis = await startRedis();
  const home = await mkdtemp(join(tmpdir(), 'leasehold-bench-'));
  try {
    const { grid, manifest, simulation, manifestHash } = await loadWorld(folder);
    const { seed, tickHz, params, world } = manifest;
    const engine = compile(simulation, { layer: 'main', grid, seed, tickHz, params });
    const { schema } = engine;
    const facts = { world, manifestHash, fixed: fixedOf(manifest) };
    const of = { url: redis.url, world, layer: 'main', grid };
    await seedWorld({
      registry: fileRegistry(home),
      openAdmin: (incarnation) => openWorldAdmin({ ...of, incarnation }),
      facts: { ...facts, schemaHash: schema.hash, schemaJson: schemaJson(schema) },
      blocks: grid.blocks,
      cells: () => engine.seed(),
      fresh: false,
    });
    const store = await openLiveStore({ ...of, incarnation: 1 });
    const clock = { mode: 'realtime', rateHz: tickHz, baseTick: 0, endTick: 0 } as const;
    await store.setClock({ ...clock, isPaused: true });
    const alive = new Map<string, BenchPod>();
    const all: Child[] = [];
    let feedAfter = '0';
    const sharers = (): number => Math.min(alive.size, grid.blocks);
    const env = {
      ...{ REDIS_URL: redis.url, WORLD_FOLDER: folder, LEASEHOLD_HOME: home },
      ...{ LOG_LEVEL: 'info', LEASEHOLD_PARENT: '1', PORT: '0' },
    };
    return {
      ...{ redis, store, grid, tickHz, alive, home },
      /** `together`: how many are started at once, this one included. */
      start(together = 1, args: readonly string[] = []): BenchPod {
        const name = `pod-${all.length + 1}`;
        const child = new Child([...args, SIMULATOR], {
          ...env,
          POD: name,
          STARTING_PODS: String(together),
        });
        const pod = { name, child, startedMs: performance.now() };
        all.push(child);
        alive.set(name, pod);
        return pod;
      },
      /** From now on somebody plans who holds what. Resolves when the first plan is made. */
      async plan(policy: string): Promise<void> {
        all.push(new Child([AUTHORITY], { ...env, POLICY: policy }));
        while ((await store.plan()) === undefined) await sleep(LOOK_MS);
      },
      async records(): Promise<PodRecord[]> {
        return (await store.pods()).filter(({ pod }) => alive.has(pod));
      },
      /** Waits until living pods hold every cell; with `each`, until all that can have some do. */
      async untilHeld(each = false): Promise<void> {
        const sinceMs = performance.now();
        for (;;) {
          const held = (await this.records()).map(({ report }) => report['cells'] ?? 0);
          const plan = await store.plan();
          const asleep = plan?.asleep.reduce((sum, [, cells]) => sum + cells, 0) ?? 0;
          const isWhole = held.reduce((sum, cells) => sum + cells, 0) >= grid.cells - asleep;
          const isShared = held.filter((cells) => cells > 0).length >= sharers();
          const ms = performance.now() - sinceMs;
          if (isWhole && (isShared || !each || ms > SHARED_MS_MAX)) return;
          if (ms > HELD_MS_MAX) throw new Error(`cells are not held: ${held}`);
          await sleep(LOOK_MS);
        }
      },
      async run(): Promise<void> {
        await store.setClock({ ...clock, isPaused: false });
      },
      /** What is new in the world's feed. */
      async news(): Promise<readonly FeedEntry[]> {
        const { id, entries } = await store.readFeed(feedAfter);
        feedAfter = id;
        return entries;
      },
      async close(): Promise<void> {
        await Promise.all(all.map((child) => child.stop()));
        await store.close();
        await redis.stop();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await redis.stop();
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}
