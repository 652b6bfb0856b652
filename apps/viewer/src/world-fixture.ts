/** A world that runs with its live map, as a user starts it, for tests of the page. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, freePort, type Spawned, spawnNode } from '@leasehold/testkit';

const COMMAND = fileURLToPath(new URL('../../cli/bin/leasehold.js', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));
const START_MS_MAX = 120_000;
const PODS = 3;

type Env = Readonly<Record<string, string>>;

export type Found = {
  readonly tick: number;
  readonly truncated: boolean;
  readonly entities: readonly {
    readonly id: number;
    readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  }[];
};

export class LiveWorld {
  readonly run: Spawned;
  readonly port: number;
  /** With the token that lets the page kill pods. */
  address = '';
  readonly #home: string;
  readonly #env: Env;

  private constructor(run: Spawned, port: number, home: string, env: Env) {
    this.#env = env;
    this.run = run;
    this.port = port;
    this.#home = home;
  }

  /**
   * An example on three pods and one gateway, and what `more` flags say; its map is served then.
   * `databaseUrl`: of a fleet, and of snapshots.
   */
  static async open(
    example: string,
    redisUrl: string,
    more: readonly string[] = [],
    databaseUrl = '',
  ): Promise<LiveWorld> {
    const home = await mkdtemp(join(tmpdir(), 'leasehold-map-'));
    const port = await freePort();
    const map = ['--gateways', '1', '--port', String(port)];
    const flags = ['--pods', String(PODS), ...map, '--json', ...more];
    const env = { LEASEHOLD_HOME: home, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl };
    const run = spawnNode([COMMAND, 'run', join(EXAMPLES, example), ...flags], { env });
    const world = new LiveWorld(run, port, home, env);
    await eventually(() => {
      const match = /^map {2}(http:\S+)$/m.exec(run.stderr);
      world.address = match?.[1] ?? '';
      return world.address !== '';
    }, START_MS_MAX);
    return world;
  }

  /** What `/query` says, asked from outside the page. */
  async query(search: string): Promise<Found> {
    const reply = await fetch(new URL(`/query?${search}`, this.address), {
      headers: { connection: 'close' },
    });
    if (!reply.ok) throw new Error(await reply.text());
    return (await reply.json()) as Found;
  }

  /** Takes a snapshot of it, as a user does; resolves with its tick. */
  async snapshot(world: string, id: string): Promise<number> {
    const args = [COMMAND, 'snapshot', 'create', '--world', world, '--id', id, '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, ...this.#env },
    });
    return (JSON.parse(stdout) as { readonly tick: number }).tick;
  }

  /** Process ids of what the command has started; with a word of its command line, only those. */
  async children(word = ''): Promise<number[]> {
    const { stdout } = await promisify(execFile)('pgrep', [
      ...['-P', String(this.run.pid)],
      ...(word === '' ? [] : ['-f', word]),
    ]);
    return stdout.trim().split('\n').map(Number);
  }

  /** Ctrl-C; resolves with the report of the run and its exit code. */
  async end(): Promise<{ readonly code: number | null; readonly report: Report }> {
    this.run.kill('SIGINT');
    const { code } = await this.run.exited;
    const { stdout, stderr } = this.run;
    if (!stdout.startsWith('{')) throw new Error(`exit code ${code}: ${stdout}\n${stderr}`);
    return { code, report: JSON.parse(stdout) as Report };
  }

  async close(): Promise<void> {
    await this.run.stop(20_000);
    await rm(this.#home, { recursive: true, force: true });
  }
}

type Report = {
  readonly kills: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly violations: readonly unknown[];
  readonly reasons: readonly string[];
};
