/** A world with everything a view needs, as real processes: Redis, one pod, one gateway. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileRegistry, openLiveStore, openWorldAdmin, seedWorld } from '@leasehold/live-store';
import { schemaJson } from '@leasehold/protocol';
import { compile } from '@leasehold/sdk/engine';
import { loadWorld } from '@leasehold/world';
import { Child } from './child.ts';
import { startRedis } from './redis.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const SIMULATOR = path('../apps/simulator/src/main.ts');
const GATEWAY = path('../apps/view-gateway/src/main.ts');
const PROBE = path('./gateway-probe.ts');
const WORLD = path('./view-world.ts');

export const CELL = 100;
const BLOCK_CELLS = 5;

export type MapSize = {
  readonly columns: number;
  readonly rows: number;
  readonly gliders: number;
};

/** What the gateway uses; bytes, and seconds since its start. */
export type Used = {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly cpuS: number;
};

export type LiveMap = Awaited<ReturnType<typeof openLiveMap>>;

export async function openLiveMap(size: MapSize, gatewayArgs: readonly string[] = []) {
  const redis = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-bench-'));
  const children: Child[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const start = (args: readonly string[], env: Readonly<Record<string, string>>): Child => {
    const child = new Child(args, {
      ...{ REDIS_URL: redis.url, WORLD_FOLDER: folder, LEASEHOLD_HOME: join(folder, 'home') },
      ...{ LOG_LEVEL: 'info', LEASEHOLD_PARENT: '1', PORT: '0', ...env },
    });
    children.push(child);
    return child;
  };
  try {
    await seed(redis.url, folder, size);
    const pod = start([SIMULATOR], {});
    await pod.take(({ msg }) => msg === 'ready');
    const args = ['--expose-gc', ...gatewayArgs, '--import', PROBE, GATEWAY];
    const gateway = start(args, { CONNECTIONS_PER_ADDRESS_MAX: '1000' });
    const { url } = await gateway.take(({ type }) => type === 'listening');
    return {
      ...{ pod, gateway, start, close, url: `${String(url).replace('http', 'ws')}/view` },
      stored: {
        ...{ url: redis.url, space: spaceOf(size.columns, size.rows), blockCells: BLOCK_CELLS },
      },
      async used(): Promise<Used> {
        gateway.signal('SIGUSR2');
        return (await gateway.take(({ type }) => type === 'used')) as unknown as Used;
      },
      /** A counter of the gateway's metrics, without prefix and suffix. */
      async counters(): Promise<(name: string) => number> {
        const text = await (await fetch(`${String(url)}/metrics`)).text();
        return (name) => {
          const pattern = new RegExp(`^leasehold_gateway_${name}_total\\{[^}]*\\} (.*)$`, 'm');
          return Number(pattern.exec(text)?.[1]);
        };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const spaceOf = (columns: number, rows: number) =>
  ({ kind: 'torus', width: columns * CELL, height: rows * CELL, cell: CELL }) as const;

async function seed(url: string, folder: string, { columns, rows, gliders }: MapSize) {
  await copyFile(WORLD, join(folder, 'world.ts'));
  await writeFile(
    join(folder, 'world.yaml'),
    `world: bench
module: world.ts
space: ${JSON.stringify(spaceOf(columns, rows))}
blockCells: ${BLOCK_CELLS}
tickHz: 20
params: { gliders: ${gliders} }
`,
  );
  const { grid, manifest, simulation, manifestHash } = await loadWorld(folder);
  const { seed: random, tickHz, params, world } = manifest;
  const engine = compile(simulation, { layer: 'main', grid, seed: random, tickHz, params });
  const { schema } = engine;
  const of = { url, world, layer: 'main', grid };
  await seedWorld({
    registry: fileRegistry(join(folder, 'home')),
    openAdmin: (incarnation) => openWorldAdmin({ ...of, incarnation }),
    facts: { world, schemaHash: schema.hash, schemaJson: schemaJson(schema), manifestHash },
    blocks: grid.blocks,
    cells: () => engine.seed(),
    fresh: false,
  });
  const store = await openLiveStore({ ...of, incarnation: 1 });
  const clock = { mode: 'realtime', rateHz: tickHz, baseTick: 0, endTick: 0 } as const;
  await store.setClock({ ...clock, isPaused: false });
  await store.close();
}
