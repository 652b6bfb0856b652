/**
 * A small world in a Redis, with pods and gateways as real processes, for tests. Whatever was
 * started ends with `close`.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileRegistry, openLiveStore, openWorldAdmin, seedWorld } from '@leasehold/live-store';
import { type RegistryRecord, schemaJson } from '@leasehold/protocol';
import { compile } from '@leasehold/sdk/engine';
import { type Spawned, spawnNode } from '@leasehold/testkit';
import { loadWorld } from '@leasehold/world';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const GATEWAY = path('./main.ts');
const SIMULATOR = path('../../simulator/src/main.ts');
const FLOCKING = path('../../../examples/flocking/world.ts');
const START_MS = 60_000;
const READY_MS = 10_000;

export type Env = Readonly<Record<string, string>>;

export type Gateway = {
  readonly process: Spawned;
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** ws://127.0.0.1:PORT/view */
  readonly viewUrl: string;
};

/** Birds on a torus of 8 × 8 cells, each 25 wide. */
export class GatewayWorld {
  readonly name: string;
  readonly folder: string;
  /** As the registry has it. */
  readonly record: RegistryRecord;
  readonly #env: Env;
  readonly #processes: Spawned[] = [];

  private constructor(record: RegistryRecord, folder: string, env: Env) {
    this.name = record.world;
    this.record = record;
    this.folder = folder;
    this.#env = env;
  }

  /** Writes a world folder and seeds it. `module`: a file that takes a parameter `birds`. */
  static async seed(redisUrl: string, birds = 200, module = FLOCKING): Promise<GatewayWorld> {
    const name = `birds-${randomBytes(4).toString('hex')}`;
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-gateway-'));
    await copyFile(module, join(folder, 'world.ts'));
    await writeFile(join(folder, 'world.yaml'), manifestOf(name, birds));
    const { grid, manifest, simulation, manifestHash } = await loadWorld(folder);
    const { seed, tickHz, params } = manifest;
    const engine = compile(simulation, { layer: 'main', grid, seed, tickHz, params });
    const home = join(folder, 'home');
    const { record } = await seedWorld({
      registry: fileRegistry(home),
      openAdmin: (incarnation) =>
        openWorldAdmin({ url: redisUrl, world: name, incarnation, layer: 'main', grid }),
      facts: {
        world: name,
        schemaHash: engine.schema.hash,
        schemaJson: schemaJson(engine.schema),
        manifestHash,
        layer: 'main',
        fixed: { ...SPACE, blockCells: 2, seed },
      },
      blocks: grid.blocks,
      cells: () => engine.seed(),
      fresh: false,
    });
    const of = { url: redisUrl, world: name, incarnation: 1, layer: 'main', grid };
    const store = await openLiveStore(of);
    const clock = { mode: 'realtime', rateHz: tickHz, baseTick: 0, endTick: 0 } as const;
    await store.setClock({ ...clock, isPaused: false });
    await store.close();
    const registry = { LEASEHOLD_HOME: home, DATABASE_URL: '' };
    const env = { REDIS_URL: redisUrl, WORLD_FOLDER: folder, ...registry };
    return new GatewayWorld(record, folder, env);
  }

  /** A gateway that is ready, on a port of its own. */
  async startGateway(env: Env = {}): Promise<Gateway> {
    const process = this.#spawn(GATEWAY, { PORT: '0', LOG_LEVEL: 'info', ...env });
    const { url } = await process.waitFor(({ type }) => type === 'listening', START_MS);
    await ready(String(url));
    return { process, url: String(url), viewUrl: `${String(url).replace('http', 'ws')}/view` };
  }

  /** A pod that ticks the world, all of it once it has been there for a moment. */
  async startPod(env: Env = {}): Promise<Spawned> {
    const pod = this.#spawn(SIMULATOR, env);
    await pod.waitFor(({ msg }) => msg === 'ready', START_MS);
    return pod;
  }

  #spawn(main: string, env: Env): Spawned {
    const process = spawnNode([main], { env: { ...this.#env, ...env } });
    this.#processes.push(process);
    return process;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function ready(url: string): Promise<void> {
  const deadlineMs = performance.now() + READY_MS;
  while (!(await fetch(`${url}/ready`)).ok) {
    if (performance.now() > deadlineMs) throw new Error(`${url} is not ready`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const SPACE = {
  'space.kind': 'torus',
  'space.width': 200,
  'space.height': 200,
  'space.cell': 25,
} as const;

const manifestOf = (name: string, birds: number): string => `world: ${name}
module: world.ts
space: { kind: torus, width: 200, height: 200, cell: 25 }
blockCells: 2
params: { birds: ${birds} }
`;
