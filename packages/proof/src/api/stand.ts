/**
 * Where the API is proved: a Redis, a world seeded in it, pods and lifecycle services as processes of
 * their own, which may be killed and started again.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openControl } from '@leasehold/control';
import { fileRegistry, openLiveStore, openWorldAdmin, seedWorld } from '@leasehold/live-store';
import { openWorldPrefabs } from '@leasehold/prefabs';
import { TestRepository } from '@leasehold/prefabs/repository-fixture';
import { schemaJson } from '@leasehold/protocol';
import { compile } from '@leasehold/sdk/engine';
import { openServers, type Servers } from '@leasehold/servers';
import { type LoadedWorld, loadWorld } from '@leasehold/world';
import { Process } from './process.ts';

const APPS = resolve(import.meta.dirname, '../../../../apps');
const LIFECYCLE = join(APPS, 'lifecycle/src/main.ts');
const SIMULATOR = join(APPS, 'simulator/src/main.ts');
const MODULE = join(import.meta.dirname, 'lamps-fixture.ts');
/** Twice the common rate: most of the time of a request is that until the next tick. */
const TICK_HZ = 40;
export const SPACE = { width: 200, height: 100, cell: 25 } as const;
export const WEBHOOK_SECRET = 'a secret of these proofs';
export const PREFAB = 'sheep';
const READY_LOOKS_MAX = 600;

type Service = { process: Process; url: string };

export class Stand {
  readonly #home: string;
  readonly #servers: Servers;
  readonly #services: Service[] = [];
  readonly #pods: Process[] = [];
  readonly #ended: Process[] = [];

  private constructor(home: string, servers: Servers) {
    this.#home = home;
    this.#servers = servers;
  }

  static async open(): Promise<Stand> {
    const home = mkdtempSync(join(tmpdir(), 'leasehold-api-'));
    return new Stand(home, await openServers({ home }));
  }

  get urls(): readonly string[] {
    return this.#services.map(({ url }) => url);
  }

  /** What services have logged as failures of their own. */
  get faults(): string[] {
    const processes = [...this.#services.map(({ process }) => process), ...this.#ended];
    return processes.flatMap(({ faults }) => [...faults]);
  }

  /** Seeds a world and answers its folder. With prefabs it has one. */
  async seed(world: string, hasPrefabs = false): Promise<string> {
    const folder = join(this.#home, world);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'world.yaml'), manifestOf(world));
    const loaded = await loadWorld(folder);
    await this.#seedCells(world, loaded);
    if (hasPrefabs) await this.#applyPrefabs(world, folder, loaded);
    return folder;
  }

  async startPod(folder: string): Promise<void> {
    const pod = new Process(SIMULATOR, { ...this.#env, WORLD_FOLDER: folder });
    this.#pods.push(pod);
    await pod.waitFor(({ msg }) => msg === 'ready');
  }

  async startService(port = 0): Promise<void> {
    const process = new Process(LIFECYCLE, {
      ...this.#env,
      ...{ PORT: String(port), REQUESTS_PER_S: '100000', LOG_LEVEL: 'info', WEBHOOK_SECRET },
    });
    const { url } = await process.waitFor(({ type }) => type === 'listening');
    this.#services.push({ process, url: String(url) });
  }

  /** Kills a service in the middle of what it does, and starts it again where it was. */
  async killService(): Promise<void> {
    const service = this.#services.shift();
    if (service === undefined) return;
    await service.process.end('SIGKILL');
    this.#ended.push(service.process);
    await this.startService(Number(new URL(service.url).port));
  }

  /** Kills a pod, and starts another. */
  async killPod(folder: string): Promise<void> {
    await this.#pods.shift()?.end('SIGKILL');
    await this.startPod(folder);
  }

  async close(): Promise<void> {
    const processes = [...this.#services.map(({ process }) => process), ...this.#pods];
    await Promise.all(processes.map((process) => process.end('SIGTERM')));
    await this.#servers.close();
    rmSync(this.#home, { recursive: true, force: true });
  }

  get #env(): Readonly<Record<string, string>> {
    const registry = { LEASEHOLD_HOME: this.#home, DATABASE_URL: '' };
    return { REDIS_URL: this.#servers.redisUrl, ...registry, HOST: '127.0.0.1' };
  }

  async #seedCells(world: string, { grid, manifest, simulation, manifestHash }: LoadedWorld) {
    const { seed, tickHz, params } = manifest;
    const [layer, url] = ['main', this.#servers.redisUrl];
    const engine = compile(simulation, { layer, grid, seed, tickHz, params });
    const spec = Object.entries(grid.spec).map(([key, value]) => [`space.${key}`, value]);
    await seedWorld({
      registry: fileRegistry(this.#home),
      openAdmin: (incarnation) => openWorldAdmin({ url, world, incarnation, layer, grid }),
      facts: {
        ...{ world, manifestHash, layer, schemaHash: engine.schema.hash },
        schemaJson: schemaJson(engine.schema),
        fixed: { ...Object.fromEntries(spec), blockCells: manifest.blockCells, seed },
      },
      ...{ blocks: grid.blocks, cells: () => engine.seed(), fresh: false },
    });
    const store = await openLiveStore({ url, world, incarnation: 1, layer, grid });
    const clock = { mode: 'realtime', rateHz: tickHz, baseTick: 0, endTick: 0 } as const;
    await store.setClock({ ...clock, isPaused: false });
    await store.close();
  }

  async #applyPrefabs(world: string, folder: string, { simulation, manifestHash }: LoadedWorld) {
    const { redisUrl } = this.#servers;
    const control = await openControl(redisUrl);
    const marks = { moduleVersion: '', moduleCommit: '', appliedAt: '2026-01-01T00:00:00.000Z' };
    const record = { world, incarnation: 1, manifest: {}, manifestHash, folder };
    await control.putWorld({ ...record, ...marks }, []);
    await control.close();
    const repository = await TestRepository.create(folder);
    const files = { [`prefabs/${PREFAB}.yaml`]: 'components: {lamp: {strikes: 2}}' };
    const commit = await repository.commit(files);
    const opened = await openWorldPrefabs({
      ...{ world, folder, redisUrl, cache: join(folder, 'git') },
      source: { repository: '.', folder: 'prefabs', ref: 'HEAD' },
      schemas: simulation.components.map(({ schema }) => schema),
    });
    await opened.prefabs.apply(await opened.prefabs.at(commit));
    await opened.close();
  }
}

/** Waits until a service answers for a world that a pod has. */
export async function untilReady(url: string, world: string): Promise<void> {
  for (let looks = 0; looks < READY_LOOKS_MAX; looks++) {
    const answer = await fetch(`${url}/v1/worlds/${world}`).catch(() => undefined);
    if (answer?.ok) {
      const { pods } = (await answer.json()) as { readonly pods: number };
      if (pods > 0) return;
    }
    await sleep(50);
  }
  throw new Error(`${url} does not answer for ${world}`);
}

const manifestOf = (world: string): string => `world: ${world}
module: ${MODULE}
space: { kind: torus, width: ${SPACE.width}, height: ${SPACE.height}, cell: ${SPACE.cell} }
blockCells: 2
tickHz: ${TICK_HZ}
`;
