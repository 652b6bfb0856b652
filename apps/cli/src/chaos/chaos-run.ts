/**
 * One chaos run: a world of its own in a Redis of its own, pods and gateways that each reach it over
 * a line of their own, faults by plan, clients that watch from outside, and a judgement at the end.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import { LiveRun } from '../live-run.ts';
import type { Output } from '../output.ts';
import { choosePorts } from '../ports.ts';
import { type CheckedWorld, openStoredWorld, type StoredWorld } from '../stored-world.ts';
import type { Judged } from './checker.ts';
import { CheckerProcess } from './checker-process.ts';
import { faultPlan, type PlannedFault } from './faults.ts';
import { Injector } from './injector.ts';
import { type ChaosOptions, runOptionsOf } from './options.ts';
import { RedisPair } from './redis-pair.ts';
import { type ChaosReport, chaosReportOf, HELD_MS_MAX } from './report.ts';

/** Faults begin in this part of a lockstep run's ticks; the rest shows that it goes on. */
const TICKS_SHARE = 0.8;
const LOOK_MS = 100;
/** Views settle, and pods whose cells were taken claim others. */
const QUIET_MS = 1_500;
/** In lockstep all wait for one; longer than this without a tick is for ever. */
const STUCK_MS_MAX = 60_000;
/** Cells asked for at once. */
const HEADS_MAX = 1_000;
/**
 * Half a minute at 20 Hz: the auditor must find every entry that it had seen before a failover,
 * however long that took, or it can only say that it did not see it again.
 */
const LOG_ENTRIES_MIN = 512;

export class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #checked: CheckedWorld;
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #home: string;
  readonly #redis: RedisPair;
  readonly #world: StoredWorld;
  readonly #live: LiveRun;
  readonly #plan: readonly PlannedFault[];
  readonly #failures: string[] = [];
  #checker: CheckerProcess | undefined;
  #judged: Judged | undefined;
  #heldMs: number | undefined;
  #isOver = false;

  private constructor(parts: {
    readonly options: ChaosOptions;
    readonly checked: CheckedWorld;
    readonly surroundings: ChaosSurroundings;
    readonly home: string;
    readonly redis: RedisPair;
    readonly world: StoredWorld;
    readonly ports: readonly number[];
  }) {
    const { options, checked, surroundings, home, redis, world, ports } = parts;
    const { output, signal } = surroundings;
    this.#options = options;
    this.#checked = checked;
    this.#output = output;
    this.#signal = signal;
    this.#home = home;
    this.#redis = redis;
    this.#world = world;
    const { tickHz, lease } = checked.loaded.manifest;
    const spanMs = options.isLockstep
      ? (options.ticks * TICKS_SHARE * 1000) / tickHz
      : options.seconds * 1000;
    const { faults: kinds, seed } = options;
    const countMin = options.isLockstep ? kinds.length : 1;
    this.#plan = faultPlan({ kinds, seed, spanMs, leaseTtlMs: lease.ttlMs, countMin });
    const envOf = (name: string) => ({
      REDIS_URL: redis.urlOf(name),
      DATABASE_URL: '',
      LOG_ENTRIES_MIN: String(LOG_ENTRIES_MIN),
      // That every cell has a holder is what is looked at (W1).
      IDLE_MS: '0',
    });
    const run = runOptionsOf(options, home);
    this.#live = new LiveRun(world, run, { output, signal, ports, envOf });
  }

  /** Starts servers and seeds the world. What it has opened is closed again if that fails. */
  static async open(
    options: ChaosOptions,
    checked: CheckedWorld,
    surroundings: ChaosSurroundings,
  ): Promise<ChaosRun> {
    const { output, binary } = surroundings;
    const { pods, gateways, authorities } = options;
    const ports = await choosePorts(gateways, 0);
    const home = await mkdtemp(join(tmpdir(), 'leasehold-chaos-'));
    let redis: RedisPair | undefined;
    try {
      const hasReplica = options.faults.includes('failover');
      const lines = pods + gateways + authorities;
      redis = await RedisPair.open({ binary, folder: home, hasReplica, lines });
      const servers = {
        redisUrl: redis.front.url,
        kind: 'private' as const,
        close: async () => {},
      };
      output.progress(`a Redis of its own${hasReplica ? ', with a replica' : ''}, under ${home}`);
      const request = runOptionsOf(options, home);
      const world = await openStoredWorld(request, checked, output, async () => servers);
      return new ChaosRun({ options, checked, surroundings, home, redis, world, ports });
    } catch (error) {
      await redis?.close();
      await rm(home, { recursive: true, force: true });
      throw error;
    }
  }

  /** Does it all, and says what came of it. After the signal: with what there is by then. */
  async run(): Promise<ChaosReport> {
    const live = this.#live;
    await live.start();
    await this.#startChecker();
    const injector = new Injector({
      run: live,
      redis: this.#redis,
      plan: this.#plan,
      progress: () => this.#progress(),
      cells: this.#world.loaded.grid.cells,
      isAtEnd: () => this.#options.isLockstep && this.#isAtEnd,
      nowMs: () => this.#world.store.nowMs(),
      signal: this.#signal,
      say: (line) => {
        if (!this.#output.isLive) this.#output.progress(line);
      },
    });
    const driving = this.#drive(injector).finally(() => {
      this.#isOver = true;
    });
    await live.untilOver({ isOver: () => this.#isOver });
    await driving;
    const run = await live.finish({ atRest: () => this.#judge() }).catch((error: unknown) => {
      throw this.#unfinished(error);
    });
    const { loaded } = this.#checked;
    return chaosReportOf({
      ...{ run, feed: live.feed, records: injector.records },
      seed: this.#options.seed,
      gateways: this.#options.gateways,
      isComplete: !this.#signal.aborted,
      expectedHash: this.#options.expectedHash,
      runningSinceMs: live.runningSinceMs,
      rateHz: loaded.manifest.tickHz,
      leaseTtlMs: loaded.manifest.lease.ttlMs,
      heldMs: this.#heldMs,
      judged: this.#judged,
      seen: this.#checker?.seen ?? [],
      standstills: this.#checker?.standstills ?? [],
      failures: [...this.#failures, ...injector.leftOut, ...this.#podFailures],
    });
  }

  /** Why there is no report: what went wrong before may say more than what failed last. */
  #unfinished(error: unknown): unknown {
    if (this.#failures.length === 0) return error;
    const last = error instanceof Error ? error.message : String(error);
    return new LeaseholdError('REDIS_UNREACHABLE', `${this.#failures.join('; ')}; then: ${last}`, {
      field: '--faults',
      value: this.#options.faults.join(),
      remedy: 'Nothing was proved: run it again, with fewer pods if the machine is busy.',
    });
  }

  /** Of pods that ended by themselves. One that is disturbed while it leaves may well be late. */
  get #podFailures(): string[] {
    const { failures, late } = this.#live.fleet;
    return failures.filter((failure) => !late.includes(failure));
  }

  killAll(): void {
    this.#live.killAll();
    this.#redis.killAll();
  }

  async close(): Promise<void> {
    this.#redis.heal();
    await this.#checker?.close();
    await this.#live.close();
    await this.#world.close();
    await this.#redis.close();
    await rm(this.#home, { recursive: true, force: true });
  }

  async #startChecker(): Promise<void> {
    const { clients, seed } = this.#options;
    if (clients === 0 || this.#signal.aborted) return;
    const { redisUrl, name, incarnation, layer, loaded } = this.#world;
    this.#checker = new CheckerProcess({
      REDIS_URL: redisUrl,
      WORLD_FOLDER: loaded.folder,
      WORLD: name,
      INCARNATION: String(incarnation),
      LAYER: layer,
      GATEWAY_URLS: this.#live.gateways.viewUrls.join(','),
      CLIENTS: String(clients),
      SEED: String(seed),
    });
    await this.#checker.ready();
    this.#output.progress(`${clients} clients watch from outside`);
  }

  /** A share of the time in which faults begin; in lockstep ticks are the time. */
  #progress(): number {
    const { isLockstep, ticks, seconds } = this.#options;
    if (isLockstep) return (this.#live.audit?.tick ?? 0) / (ticks * TICKS_SHARE);
    const elapsedMs = this.#world.store.nowMs() - this.#beganMs;
    return elapsedMs / (seconds * 1000);
  }

  #beganMs = 0;

  async #drive(injector: Injector): Promise<void> {
    this.#beganMs = this.#world.store.nowMs();
    const faults = injector.drive().catch((error: unknown) => {
      // Servers that do not come back are no fault of the world, and yet nothing was proved.
      this.#failures.push(`faults ended: ${error instanceof Error ? error.message : error}`);
    });
    if (this.#options.isLockstep) {
      await Promise.race([Promise.all([faults, this.#untilEndTick()]), this.#untilStuck()]);
    } else {
      await faults;
      while (this.#progress() < 1 && !this.#signal.aborted) await sleep(LOOK_MS);
    }
    if (this.#signal.aborted) await faults;
    if (this.#signal.aborted) return;
    await this.#untilHeld();
    if (this.#failures.length > 0) return;
    await sleep(QUIET_MS);
  }

  async #untilEndTick(): Promise<void> {
    while (!this.#isAtEnd && !this.#signal.aborted) await sleep(LOOK_MS);
  }

  get #isAtEnd(): boolean {
    return (this.#live.audit?.tickMin ?? 0) >= this.#options.ticks;
  }

  /** In lockstep: resolves when no tick was committed for a long time, or it is over anyway. */
  async #untilStuck(): Promise<void> {
    let tick = -1;
    let sinceMs = performance.now();
    while (!this.#signal.aborted && !this.#isOver) {
      const now = this.#live.audit?.tickMin ?? 0;
      if (now !== tick || this.#isAtEnd) {
        tick = now;
        sinceMs = performance.now();
      } else if (performance.now() - sinceMs > STUCK_MS_MAX) {
        this.#failures.push(`no tick for ${STUCK_MS_MAX / 1000} s: the world stands at ${tick}`);
        return;
      }
      await sleep(LOOK_MS);
    }
  }

  /** W1: read from the leases themselves, not from what pods say of themselves. */
  async #untilHeld(): Promise<void> {
    const startMs = performance.now();
    this.#output.progress('quiet: every cell must have a holder');
    const left = new Set(Array.from({ length: this.#world.loaded.grid.cells }, (_, cell) => cell));
    while (performance.now() - startMs <= HELD_MS_MAX && !this.#signal.aborted) {
      // A server that is away for a moment answers at the next look.
      await this.#dropHeld(left).catch(() => undefined);
      if (left.size === 0) {
        this.#heldMs = performance.now() - startMs;
        return;
      }
      await sleep(LOOK_MS);
    }
  }

  /**
   * Takes out of `left` the cells that have a holder. Cell by cell: while pods share anew, some cell
   * or other is always between two of them.
   */
  async #dropHeld(left: Set<number>): Promise<void> {
    const alive = new Set(this.#live.fleet.running.map(({ name }) => name));
    const cells = [...left];
    for (let from = 0; from < cells.length; from += HEADS_MAX) {
      for (const head of await this.#world.store.heads(cells.slice(from, from + HEADS_MAX))) {
        // A nonce is the pod's name and a random part.
        if ('tag' in head || !alive.has(head.nonce.slice(0, head.nonce.lastIndexOf('.')))) continue;
        left.delete(head.cell);
      }
    }
  }

  async #judge(): Promise<void> {
    if (this.#checker === undefined) return;
    this.#output.progress('the clients are compared with the state in Redis');
    try {
      this.#judged = await this.#checker.judge();
    } catch (error) {
      this.#failures.push(error instanceof Error ? error.message : String(error));
    }
  }
}

export type ChaosSurroundings = {
  readonly output: Output;
  readonly signal: AbortSignal;
  /** A Redis server program. */
  readonly binary: string;
};
