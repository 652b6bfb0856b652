/**
 * The Redis of a chaos run: a primary that may die and come back, perhaps a replica that may take
 * its place, and a line of its own for everybody who uses them, so that each can be cut off alone.
 * Whoever uses it knows one address for the whole run.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '@leasehold/kernel';
import {
  ask,
  infoField,
  type Launched,
  launchRedis,
  openProxy,
  type TcpProxy,
} from '@leasehold/servers';

/** Lines ready to be taken: pods are started without waiting, a few at a time. */
const SPARE_LINES = 4;
/** A replica that waits to gather others would only make a run slow. */
const OWN_ARGS = ['--repl-diskless-sync-delay', '0'];
const LOOK_MS = 50;

export type RedisPairOptions = {
  readonly binary: string;
  /** Data of both servers. */
  readonly folder: string;
  readonly hasReplica: boolean;
  /** Lines that are taken at once at the start. */
  readonly lines: number;
};

type Server = { readonly name: string; readonly folder: string; readonly launched: Launched };

export class RedisPair {
  /** The address of the command itself and of the auditor: never disturbed, only led elsewhere. */
  readonly front: TcpProxy;
  readonly #options: RedisPairOptions;
  /** What the replica follows. */
  readonly #link: TcpProxy;
  readonly #lines = new Map<string, TcpProxy>();
  readonly #spares: TcpProxy[] = [];
  #filling: Promise<void> = Promise.resolve();
  #primary: Server;
  #replica: Server | undefined;

  private constructor(
    options: RedisPairOptions,
    primary: Server,
    { front, link }: { readonly front: TcpProxy; readonly link: TcpProxy },
  ) {
    this.#options = options;
    this.#primary = primary;
    this.front = front;
    this.#link = link;
  }

  static async open(options: RedisPairOptions): Promise<RedisPair> {
    const launched = await launch(options, join(options.folder, 'redis-1'));
    const target = launched.port;
    const primary = { name: 'redis-1', folder: join(options.folder, 'redis-1'), launched };
    const [front, link] = await Promise.all([openProxy({ target }), openProxy({ target })]);
    const pair = new RedisPair(options, primary, { front, link });
    try {
      await pair.#fill(options.lines + SPARE_LINES);
      if (options.hasReplica) {
        await pair.#follow('redis-2', join(options.folder, 'redis-2'));
        await pair.untilReplicated();
      }
      return pair;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  /** The server that is written to. */
  get primaryName(): string {
    return this.#primary.name;
  }

  get primaryPort(): number {
    return this.#primary.launched.port;
  }

  get replicaName(): string {
    return this.#replica?.name ?? '';
  }

  /** The address of one process: the same line whenever it is asked for. */
  urlOf(name: string): string {
    return (this.#lines.get(name) ?? this.#take(name)).url;
  }

  /** The line of one process that has asked for its address. */
  line(name: string): TcpProxy | undefined {
    return this.#lines.get(name);
  }

  /** Kills the primary and starts it again from its append-only file, on its port. */
  async restart(downMs: number): Promise<void> {
    const { name, folder, launched } = this.#primary;
    kill(launched);
    await launched.exited;
    await sleep(downMs);
    this.#primary = {
      name,
      folder,
      launched: await launch(this.#options, folder, { port: launched.port }),
    };
    await this.untilReplicated();
  }

  /**
   * The replica falls behind, the primary is killed, the replica takes its place, and everybody is
   * led there. Then the dead one comes back and follows.
   */
  async failOver(lagMs: number, delayMs: number): Promise<void> {
    const replica = this.#replica;
    assert(replica !== undefined, 'nobody can take the place of the primary');
    const dead = this.#primary;
    this.#link.delay(delayMs);
    await sleep(lagMs);
    this.#link.blackhole();
    await sleep(lagMs);
    kill(dead.launched);
    await dead.launched.exited;
    await sleep(FAILOVER_MS);
    await ask(replica.launched.port, ['REPLICAOF', 'NO', 'ONE']);
    this.#primary = replica;
    this.#replica = undefined;
    const { port } = replica.launched;
    for (const line of [this.front, this.#link, ...this.#spares, ...this.#lines.values()]) {
      line.retarget(port);
    }
    this.#link.heal();
    this.#link.cut();
    await sleep(FAILOVER_MS);
    await this.#follow(dead.name, dead.folder, dead.launched.port);
    await this.untilReplicated();
  }

  /** Until the replica has all that the primary has by now; at once where there is none. */
  async untilReplicated(): Promise<void> {
    if (this.#replica === undefined) return;
    const deadlineMs = performance.now() + REPLICATED_MS_MAX;
    let neededTo = -1;
    while (performance.now() < deadlineMs) {
      const info = await ask(this.primaryPort, ['INFO', 'replication']).catch(() => '');
      // It is online as soon as it can follow, which may be long before it has caught up.
      const hasTo = Number(/^slave0:.*state=online,offset=(\d+)/m.exec(info)?.[1] ?? -1);
      if (neededTo < 0) neededTo = Number(infoField(info, 'master_repl_offset') ?? -1);
      if (neededTo >= 0 && hasTo >= neededTo) return;
      await sleep(LOOK_MS);
    }
    throw new Error(`${this.#replica.name} does not follow ${this.#primary.name}`);
  }

  /** The identity of the server process, for whoever wants to know that it is another one. */
  async runId(): Promise<string> {
    return infoField(await ask(this.primaryPort, ['INFO', 'server']), 'run_id') ?? '';
  }

  /** Ends every black hole and every delay. */
  heal(): void {
    for (const line of [this.#link, ...this.#lines.values()]) line.heal();
  }

  async close(): Promise<void> {
    await this.#filling;
    const lines = [this.front, this.#link, ...this.#spares, ...this.#lines.values()];
    await Promise.all(lines.map((line) => line.close()));
    for (const server of [this.#replica, this.#primary]) {
      if (server === undefined) continue;
      kill(server.launched);
      await server.launched.exited;
    }
  }

  /** At once, as the process is about to leave. */
  killAll(): void {
    for (const server of [this.#replica, this.#primary]) {
      if (server !== undefined) kill(server.launched);
    }
  }

  async #follow(name: string, folder: string, port?: number): Promise<void> {
    const args = ['--replicaof', '127.0.0.1', String(this.#link.port)];
    const launched = await launch(this.#options, folder, {
      ...(port === undefined ? {} : { port }),
      args,
    });
    this.#replica = { name, folder, launched };
  }

  #take(name: string): TcpProxy {
    const line = this.#spares.shift();
    assert(line !== undefined, 'more processes are started at once than there are lines');
    this.#lines.set(name, line);
    this.#filling = this.#filling.then(() => this.#fill(SPARE_LINES));
    return line;
  }

  async #fill(count: number): Promise<void> {
    while (this.#spares.length < count) {
      const line = await openProxy({ target: this.primaryPort });
      // It may have been opened while the primary changed.
      line.retarget(this.primaryPort);
      this.#spares.push(line);
    }
  }
}

/** What a watchful operator needs to notice that a primary is dead, at the least. */
const FAILOVER_MS = 300;
/** A full copy of some gigabytes. */
const REPLICATED_MS_MAX = 60_000;

function launch(
  { binary }: RedisPairOptions,
  directory: string,
  { port, args = [] }: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<Launched> {
  const at = port === undefined ? {} : { port };
  return launchRedis({ binary, directory, ...at, args: [...OWN_ARGS, ...args] });
}

function kill({ pid }: Launched): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already, which is what was wanted.
  }
}
