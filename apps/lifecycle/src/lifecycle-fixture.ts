/**
 * A small world in a Redis, with a pod and the lifecycle service as real processes, for tests.
 * Whatever was started ends with `close`.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openControl } from '@leasehold/control';
import { fileRegistry, openLiveStore, openWorldAdmin, seedWorld } from '@leasehold/live-store';
import { openWorldPrefabs, type WorldPrefabs } from '@leasehold/prefabs';
// Outside of the repository Vitest finds only what a test has imported, or an earlier run.
import '@leasehold/prefabs/component';
import { TestRepository } from '@leasehold/prefabs/repository-fixture';
import { schemaJson } from '@leasehold/protocol';
import { compile, type Engine } from '@leasehold/sdk/engine';
import { eventually, type Spawned, spawnNode } from '@leasehold/testkit';
import { type LoadedWorld, loadWorld } from '@leasehold/world';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const LIFECYCLE = path('./main.ts');
const SIMULATOR = path('../../simulator/src/main.ts');
const START_MS = 60_000;

/** What is seeded: a module beside this one, and the layers of its manifest. */
export type SeededModule = { readonly module: string; readonly layers?: string };
const LAMPS: SeededModule = { module: './world-fixture.ts' };

export type Env = Readonly<Record<string, string>>;

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered
  readonly body: any;
};

export type Ask = {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Env;
};

/** Lamps on a torus of 8 × 4 cells, each 25 wide. */
export class LifecycleWorld {
  readonly name: string;
  readonly #folder: string;
  readonly #env: Env;
  readonly #processes: Spawned[] = [];

  private constructor(name: string, folder: string, env: Env) {
    this.name = name;
    this.#folder = folder;
    this.#env = env;
  }

  static async seed(redisUrl: string, of: SeededModule = LAMPS): Promise<LifecycleWorld> {
    const name = `lamps-${randomBytes(4).toString('hex')}`;
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-lifecycle-'));
    await copyFile(path(of.module), join(folder, 'world.ts'));
    await writeFile(join(folder, 'world.yaml'), manifestOf(name, of.layers));
    const loaded = await loadWorld(folder);
    const { grid, manifest, manifestHash } = loaded;
    const [engine, ...others] = enginesOf(loaded);
    const { layer } = engine.schema;
    const place = { url: redisUrl, world: name, grid };
    const home = join(folder, 'home');
    const spec = Object.entries(grid.spec).map(([key, value]) => [`space.${key}`, value]);
    const { blockCells, seed } = manifest;
    await seedWorld({
      registry: fileRegistry(home),
      openAdmin: (incarnation, of = layer) => openWorldAdmin({ ...place, incarnation, layer: of }),
      facts: {
        world: name,
        ...schemaFacts(engine),
        manifestHash,
        fixed: { ...Object.fromEntries(spec), blockCells, seed },
        layer,
      },
      others: others.map((other) => ({
        layer: other.schema.layer,
        ...schemaFacts(other),
        cells: () => other.seed(),
      })),
      blocks: grid.blocks,
      cells: () => engine.seed(),
      fresh: false,
    });
    const store = await openLiveStore({ ...place, incarnation: 1, layer });
    const clock = { mode: 'realtime', rateHz: manifest.tickHz, baseTick: 0, endTick: 0 } as const;
    await store.setClock({ ...clock, isPaused: false });
    await store.close();
    const registry = { LEASEHOLD_HOME: home, DATABASE_URL: '' };
    const env = { REDIS_URL: redisUrl, WORLD_FOLDER: folder, ...registry };
    return new LifecycleWorld(name, folder, env);
  }

  /** Ids of all rows of all cells, ascending, by layer: read from the store alone. */
  async census(): Promise<Map<string, number[]>> {
    const loaded = await loadWorld(this.#folder);
    const { grid } = loaded;
    const found = new Map<string, number[]>();
    for (const engine of enginesOf(loaded)) {
      const { layer } = engine.schema;
      const place = { url: this.#env['REDIS_URL'] as string, world: this.name, grid };
      const store = await openLiveStore({ ...place, incarnation: 1, layer });
      const cells = Array.from({ length: grid.cells }, (_, cell) => ({ cell }));
      const ids = (await store.load(cells)).flatMap((image) => {
        const state = engine.createCell(image.cell);
        state.restore(image);
        return [...state.table.ids.subarray(0, state.table.count)];
      });
      await store.close();
      found.set(
        layer,
        ids.sort((a, b) => a - b),
      );
    }
    return found;
  }

  /** Commits files of prefabs, and makes them those in force. Answers the commit. */
  async applyPrefabs(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = this.#folder;
    const redisUrl = this.#env['REDIS_URL'] as string;
    const { manifestHash } = await loadWorld(folder);
    const control = await openControl(redisUrl);
    const applied = { world: this.name, incarnation: 1, manifest: {}, manifestHash, folder };
    const marks = { moduleVersion: '', moduleCommit: '', appliedAt: '2026-01-01T00:00:00.000Z' };
    await control.putWorld({ ...applied, ...marks }, []);
    await control.close();
    const commit = await this.commitPrefabs(files);
    await this.#withPrefabs(async (prefabs) => prefabs.apply(await prefabs.at(commit)));
    return commit;
  }

  /** Commits files of prefabs, and answers the commit: which are in force is left as it is. */
  async commitPrefabs(files: Readonly<Record<string, string>>): Promise<string> {
    return (await TestRepository.create(this.#folder)).commit(files);
  }

  async rollbackPrefabs(): Promise<void> {
    await this.#withPrefabs((prefabs) => prefabs.rollback());
  }

  async #withPrefabs(work: (prefabs: WorldPrefabs) => Promise<unknown>): Promise<void> {
    const folder = this.#folder;
    const { simulation } = await loadWorld(folder);
    const opened = await openWorldPrefabs({
      ...{ world: this.name, folder, cache: join(folder, 'git') },
      ...{ redisUrl: this.#env['REDIS_URL'] as string },
      source: { repository: '.', folder: 'prefabs', ref: 'HEAD' },
      schemas: simulation.components.map(({ schema }) => schema),
    });
    await work(opened.prefabs);
    await opened.close();
  }

  async startService(env: Env = {}): Promise<Service> {
    // On a shared server workers of other tests know nothing of this world.
    const limits = { REQUESTS_PER_S: '100000', JOBS_PREFIX: this.jobsPrefix };
    const process = this.#spawn(LIFECYCLE, { PORT: '0', LOG_LEVEL: 'info', ...limits, ...env });
    const { url } = await process.waitFor(({ type }) => type === 'listening', START_MS);
    await eventually(async () => (await fetch(`${url}/ready`)).ok, START_MS);
    return new Service(process, String(url), this.name);
  }

  /** Of the registry. */
  get home(): string {
    return join(this.#folder, 'home');
  }

  get jobsPrefix(): string {
    return `{jobs-${this.name}}`;
  }

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
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export class Service {
  readonly process: Spawned;
  readonly url: string;
  readonly #world: string;

  constructor(process: Spawned, url: string, world: string) {
    this.process = process;
    this.url = url;
    this.#world = world;
  }

  /** A request below the world. */
  ask(path: string, ask: Ask = {}): Promise<Answer> {
    return this.send(`/v1/worlds/${this.#world}${path}`, ask);
  }

  async send(path: string, { method = 'GET', body, headers = {} }: Ask = {}): Promise<Answer> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    const { status, headers: given } = response;
    return { status, headers: given, body: isJson && answer !== '' ? JSON.parse(answer) : answer };
  }

  post(path: string, body: unknown, headers: Env = {}): Promise<Answer> {
    return this.ask(path, { method: 'POST', body, headers });
  }
}

function enginesOf({ manifest, simulation, grid }: LoadedWorld): [Engine, ...Engine[]] {
  const { seed, tickHz, params, layers } = manifest;
  const all = Object.keys(layers).map((layer) =>
    compile(simulation, { layer, grid, seed, tickHz, params, layers }),
  );
  const home = all.find((engine) => engine.layer === engine.home) as Engine;
  return [home, ...all.filter((engine) => engine !== home)];
}

const schemaFacts = ({ schema }: Engine) => {
  return { schemaHash: schema.hash, schemaJson: schemaJson(schema) };
};

const manifestOf = (name: string, layers = ''): string => `world: ${name}
module: world.ts
space: { kind: torus, width: 200, height: 100, cell: 25 }
blockCells: 2
${layers}
`;
