/**
 * One run of a stored world: auditor, pods and gateways start together while its time stands still;
 * faults by schedule; at the end the pods hand over, and the auditor says what became of every
 * entity.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditStatus, FeedEntry } from '@leasehold/protocol';
import { type AuditWord, AuditWords, lastWord, wordLine } from './audit-words.ts';
import { Auditors } from './auditors.ts';
import { Authorities, aimsOf } from './authorities.ts';
import { CommitRates } from './commit-rates.ts';
import { FaultClock } from './faults.ts';
import { Fleet, type Pod } from './fleet.ts';
import { Gateways } from './gateways.ts';
import { Happenings } from './happenings.ts';
import { brokenLibraryName, brokenLibrarySource } from './known-bad.ts';
import { lastTick } from './last-tick.ts';
import { Leavers } from './leavers.ts';
import { addressLine, plainLine, type ViewFacts, viewLines } from './live-view.ts';
import { openAddress } from './open-address.ts';
import type { RunOptions } from './options.ts';
import type { Output } from './output.ts';
import { frozenOf, type Kill, type Report, round, type Scaling } from './report.ts';
import { reportOf } from './run-report.ts';
import { layersOf, podsOf, type StoredWorld } from './stored-world.ts';
import { untilHeld } from './until-held.ts';

const LOOK_MS = 50;
/** A supervisor's pause: on one machine a start would take its processors from the takeover. */
const REPLACE_MS = 500;
const REFRESH_MS = 250;
/** A store that is away at the end of a run: as long as one takes to start again. */
const STORE_AWAY_MS_MAX = 10_000;
/** A line of progress this often where the view cannot be redrawn. */
const PLAIN_EVERY_MS = 5_000;
/** A system that fails everywhere fails for one reason. */
const FROZEN_SAID_MAX = 5;

export type RunSurroundings = {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly ports: readonly number[];
  /** What a pod or gateway has besides the others, by its name. */
  /** PostgreSQL of snapshots and of cells that sleep; '' = none. */
  readonly snapshotsUrl?: string;
  readonly envOf?: (name: string) => Readonly<Record<string, string>>;
};

/** What others do while a run lasts: load a changed folder (`dev`), do harm and watch (`chaos`). */
export type RunHooks = {
  readonly tick?: (run: LiveRun) => Promise<void>;
  /** Says when it is over, instead of seconds and ticks. */
  readonly isOver?: () => boolean;
  /** Once the pods have handed over, while gateways still serve what there is. */
  readonly atRest?: () => Promise<void>;
};

export class LiveRun {
  readonly fleet: Fleet;
  readonly gateways: Gateways;
  readonly authorities: Authorities;
  readonly #world: StoredWorld;
  readonly #leavers: Leavers;
  readonly #options: RunOptions;
  readonly #output: Output;
  readonly #auditors: Auditors;
  readonly #faults: FaultClock;
  readonly #signal: AbortSignal;
  readonly #kills: Kill[] = [];
  readonly #scaling: Scaling[] = [];
  readonly #stops: Kill[] = [];
  readonly #starts: { readonly layer: string; readonly atMs: number }[] = [];
  readonly #wakes: { readonly pod: Pod; readonly atMs: number }[] = [];
  readonly #feed: FeedEntry[] = [];
  readonly #happenings = new Happenings();
  readonly #words = new AuditWords();
  /** Words that are not in the feed yet: the store may be away. */
  readonly #untold: AuditWord[] = [];
  readonly #rates = new CommitRates();
  #feedAfter = '0';
  #baseTick = 0;
  #isEnding = false;
  #runningSinceMs = 0;
  #startedMs = 0;
  #refreshedMs = 0;
  #plainMs = 0;
  #seconds = 0;

  /** `ports`: one for each gateway. */
  constructor(world: StoredWorld, options: RunOptions, surroundings: RunSurroundings) {
    const { output, signal, ports, envOf, snapshotsUrl = '' } = surroundings;
    const own = envOf === undefined ? {} : { envOf };
    this.#world = world;
    this.#options = options;
    this.#output = output;
    this.#signal = signal;
    const { redisUrl, name, incarnation, layer, loaded, seed, engine } = world;
    const layers = layersOf(world);
    const audited = { redisUrl, world: name, incarnation, grid: loaded.grid, snapshotsUrl };
    this.#auditors = new Auditors(audited, layers, engine.layers);
    const { killEveryMs, stopEveryMs } = options;
    this.#faults = new FaultClock({ kill: killEveryMs, stop: stopEveryMs }, seed);
    const library = options.break === undefined ? '' : brokenLibraryName(options.break);
    const env = {
      REDIS_URL: redisUrl,
      WORLD_FOLDER: loaded.folder,
      WORLD: name,
      LEASEHOLD_HOME: options.home,
      LAYER: layer,
      ...(snapshotsUrl === '' ? {} : { SNAPSHOTS_URL: snapshotsUrl }),
    };
    this.fleet = new Fleet(
      { ...env, SEED: String(seed), LEASEHOLD_LIBRARY: library },
      `pod-${process.pid.toString(36)}-`,
      {
        ...own,
        failed: (pod) => this.#sayFailure(pod),
        killed: (pod) => this.#replace(pod),
        drained: (pod) => {
          this.#output.progress(`${pod.name} was told to drain, and has left`);
          this.#leavers.note(pod);
        },
      },
    );
    this.#leavers = new Leavers(world, (of) => this.#replaceSoon(of));
    const warn = (line: string): void => this.#output.warn(line);
    // In lockstep nobody gets ahead of a neighbour, so nobody may sleep.
    const awake = options.isLockstep ? { IDLE_MS: '0' } : {};
    this.authorities = new Authorities({
      ...{
        env: { ...env, ...awake, ...aimsOf(options) },
        ...own,
        count: options.authorities,
        layers,
        warn,
      },
    });
    this.gateways = new Gateways({
      env,
      ...own,
      ports,
      mayMove: options.port === 0,
      warn,
      kill: (pod) => this.#killForViewer(pod),
    });
  }

  /**
   * Counts the world and starts pods and gateways, all at once: nothing moves until every block is
   * held and everything has been counted. Then time runs.
   */
  async start(): Promise<void> {
    const { store, admin, loaded, mode } = this.#world;
    const broken = this.#options.break;
    if (broken !== undefined) {
      this.#output.warn(`known-bad build: ${broken}`);
      await admin.loadFunctions(brokenLibrarySource(broken));
    }
    const tick = await lastTick(this.#world, this.#auditors);
    this.#baseTick = tick;
    const endTick = this.#options.ticks > 0 ? tick + this.#options.ticks : 0;
    const clock = { mode, rateHz: loaded.manifest.tickHz, baseTick: tick, endTick };
    await store.setClock({ ...clock, isPaused: true });
    const { pods } = this.#options;
    const together = { STARTING_PODS: String(pods) };
    for (let i = 0; i < pods; i++) {
      for (const layer of layersOf(this.#world)) this.fleet.start(layer, together);
    }
    this.gateways.start();
    this.authorities.start();
    await Promise.all([
      this.#untilCounted(),
      untilHeld({
        ...{ world: this.#world, fleet: this.fleet, pods: this.#options.pods },
        ...{ output: this.#output, signal: this.#signal, look: () => this.#readPods() },
      }),
      this.#untilServed(),
    ]);
    this.#runningSinceMs = (await store.setClock({ ...clock, isPaused: false })).baseMs;
    this.#happenings.runningSinceMs = this.#runningSinceMs;
    this.#startedMs = performance.now();
    this.#tellAddress();
  }

  async #untilCounted(): Promise<void> {
    const { entities, tick } = await this.#auditors.ready();
    this.#output.progress(`the auditor counts ${entities} entities at tick ${tick}`);
  }

  async #untilServed(): Promise<void> {
    await this.gateways.untilListening(this.#signal);
    const { gateways } = this.#options;
    const address = this.gateways.address;
    if (address === '') return;
    const others = gateways > 1 ? `, and ${gateways - 1} on the ports after it` : '';
    this.#output.progress(`a gateway listens at ${new URL(address).origin}${others}`);
  }

  #tellAddress(): void {
    const { address } = this.gateways;
    if (address === '') return;
    // Where the view is redrawn it is its first line all the time.
    if (!this.#output.isLive) this.#output.notice(addressLine(address, this.#output.colors));
    if (!this.#options.isOpening) return;
    openAddress(address, (why) => this.#output.warn(`cannot open a browser: ${why}`));
  }

  /** Runs until its end has come or the signal says so. */
  async untilOver(hooks: RunHooks = {}): Promise<void> {
    while (!this.#signal.aborted && !(hooks.isOver?.() ?? this.#isOver())) {
      this.#inject();
      await this.#refresh();
      await hooks.tick?.(this);
      await sleep(LOOK_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
    this.#seconds = round((performance.now() - this.#startedMs) / 1000);
  }

  /** True once the pod is known to the world; false if it ended or took too long. */
  async untilReady(pod: Pod, ms: number): Promise<boolean> {
    const deadlineMs = performance.now() + ms;
    while (pod.child.exit === undefined && performance.now() < deadlineMs) {
      const records = await podsOf(this.#world);
      if (records.some((record) => record.pod === pod.name && record.state === 'ready'))
        return true;
      await sleep(LOOK_MS);
    }
    return false;
  }

  /** Drains the pods, hears the verdict, and adds everything up. */
  async finish({ atRest }: RunHooks = {}): Promise<Report> {
    this.#isEnding = true;
    // Where the store is away for a moment, the reports of the last second are read with the next.
    await this.#readPods().catch(() => undefined);
    this.#output.progress('pods hand over');
    for (const { pod } of this.#wakes.splice(0)) this.fleet.wake(pod);
    await this.authorities.stop();
    await this.#drain();
    await this.#patiently(() => this.#readFeed());
    this.#output.progress('the auditor counts again');
    const verdict = await this.#auditors.verdict();
    this.#untold.push(lastWord(verdict));
    await this.#tellWords().catch(() => undefined);
    await atRest?.();
    await this.gateways.stop();
    return reportOf(this.#world, verdict, {
      pods: this.#options.pods,
      baseTick: this.#baseTick,
      seconds: this.#seconds,
      runningSinceMs: this.#runningSinceMs,
      feed: this.#feed,
      kills: this.#kills,
      stops: this.#stops,
      scaling: this.#scaling,
      reports: this.fleet.pods.map(({ report }) => report),
      failures: this.fleet.failures,
    });
  }

  get layers(): readonly string[] {
    return layersOf(this.#world);
  }

  /** What this run's pods have written into the world's feed so far. */
  get feed(): readonly FeedEntry[] {
    return this.#feed;
  }

  /** What the auditor said last. */
  get audit(): AuditStatus | undefined {
    return this.#auditors.status;
  }

  /** When the world's time began to run, on the store's clock. */
  get runningSinceMs(): number {
    return this.#runningSinceMs;
  }

  killAll(): void {
    this.fleet.killAll();
    this.gateways.killAll();
    this.authorities.killAll();
  }

  async close(): Promise<void> {
    await Promise.all([this.fleet.close(), this.gateways.close(), this.authorities.close()]);
    await this.#auditors.close();
  }

  /** Reads the pods' reports for as long as there are any: the last one counts everything. */
  async #drain(): Promise<void> {
    let isDone = false;
    const drained = this.fleet.drainAll().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await this.#readPods().catch(() => undefined);
      await sleep(LOOK_MS);
    }
    await drained;
  }

  /** Whoever is told nothing of a store that comes back learns nothing of the run. */
  async #patiently(read: () => Promise<void>): Promise<void> {
    const deadlineMs = performance.now() + STORE_AWAY_MS_MAX;
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
        await sleep(LOOK_MS);
      }
    }
  }

  #sayFailure(pod: Pod): void {
    this.#output.warn(this.fleet.failures.at(-1) ?? pod.name);
    for (const line of pod.child.lastWords.slice(-3)) this.#output.warn(`  ${line}`);
  }

  /** Somebody else sent SIGKILL: as good a test as our own, so it counts as one. */
  #replace(pod: Pod): void {
    this.#kills.push({ pod: pod.name, atMs: this.#world.store.nowMs() });
    this.#output.warn(`${pod.name} was killed, another will take its place`);
    this.#replaceSoon(pod.layer);
  }

  /** A viewer with this start's token asks for it: a kill like any other, of our own pods only. */
  #killForViewer(name: string): void {
    const pod = this.fleet.running.find((running) => running.name === name);
    // Before time runs and after it has ended nobody would take the cells.
    if (pod === undefined || this.#startedMs === 0 || this.#isEnding) return;
    this.kill(pod, 'killed from the map');
  }

  /** Kills a pod; another takes its place. */
  kill(pod: Pod, how: string): void {
    const atMs = this.#world.store.nowMs();
    this.fleet.kill(pod);
    this.#kills.push({ pod: pod.name, atMs });
    this.say(`${pod.name} ${how}`);
    this.#replaceSoon(pod.layer);
  }

  /** Freezes a pod. Whoever asked for it wakes it again, and has said after how long. */
  freeze(pod: Pod, forMs: number): void {
    const atMs = this.#world.store.nowMs();
    this.fleet.freeze(pod);
    this.#stops.push({ pod: pod.name, atMs });
    this.say(`froze ${pod.name} for ${round(forMs / 1000)} s`);
  }

  #replaceSoon(layer: string): void {
    this.#starts.push({ layer, atMs: performance.now() + REPLACE_MS });
  }

  #isOver(): boolean {
    const toCome = this.#starts.length + this.#leavers.waiting;
    if (this.fleet.alive.length + toCome === 0) return true;
    const { seconds, ticks } = this.#options;
    const elapsedMs = performance.now() - this.#startedMs;
    if (seconds > 0 && elapsedMs >= seconds * 1000) return true;
    if (ticks === 0) return false;
    const status = this.#auditors.status;
    const end = this.#baseTick + ticks;
    if (this.#world.mode === 'lockstep') return status !== undefined && status.tickMin >= end;
    // Quiet cells do not commit: in realtime the clock says when the last tick has been.
    const dueMs = (ticks * 1000) / this.#world.loaded.manifest.tickHz;
    return (status !== undefined && status.tick >= end) || elapsedMs > dueMs + 2_000;
  }

  #inject(): void {
    const elapsedMs = performance.now() - this.#startedMs;
    for (const { kind } of this.#faults.due(elapsedMs)) {
      const pod = this.#faults.choose(this.fleet.running);
      if (pod === undefined) continue;
      if (kind === 'kill') {
        this.kill(pod, 'killed');
      } else {
        this.freeze(pod, this.#options.stopForMs);
        this.#wakes.push({ pod, atMs: elapsedMs + this.#options.stopForMs });
      }
    }
    while ((this.#starts[0]?.atMs ?? Number.POSITIVE_INFINITY) <= performance.now()) {
      const { layer } = this.#starts.shift() as { layer: string };
      this.say(`started ${this.fleet.start(layer).name}`);
    }
    while (this.#wakes[0] !== undefined && this.#wakes[0].atMs <= elapsedMs) {
      this.fleet.wake((this.#wakes.shift() as { pod: Pod }).pod);
    }
  }

  async #refresh(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#refreshedMs < REFRESH_MS) return;
    this.#refreshedMs = nowMs;
    try {
      await this.#readPods();
      await this.#readFeed();
      await this.#tellWords();
    } catch (error) {
      // The store may be away for a moment: pods and auditor wait for it, and so does the view.
      this.say(`store: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#rates.note(this.fleet.alive, nowMs);
    const facts = this.#viewFacts();
    this.#output.live(viewLines(facts, this.#output.colors));
    if (!this.#output.isLive && nowMs - this.#plainMs >= PLAIN_EVERY_MS) {
      this.#plainMs = nowMs;
      this.#output.progress(plainLine(facts));
    }
  }

  #viewFacts(): ViewFacts {
    return {
      world: this.#world.name,
      address: this.gateways.address,
      mode: this.#world.mode,
      elapsedS: this.#elapsedS(),
      pods: this.fleet.pods,
      audit: this.#auditors.status,
      takeovers: this.#happenings.takeovers,
      handovers: this.#happenings.handovers,
      kills: this.#kills.length,
      stops: this.#stops.length,
      commitsPerS: this.#rates.perS,
      events: this.#happenings.lines,
    };
  }

  async #readPods(): Promise<void> {
    this.fleet.note(await podsOf(this.#world));
  }

  async #readFeed(): Promise<void> {
    const { id, entries } = await this.#world.store.readFeed(this.#feedAfter);
    this.#feedAfter = id;
    for (const entry of entries) {
      if (!this.fleet.pods.some(({ name }) => name === entry.pod)) continue;
      if (entry.kind === 'frozen') this.#sayFrozen(entry);
      this.#feed.push(entry);
      this.#happenings.hear(this.#elapsedS(), entry);
      this.#noteTakeover(entry);
    }
  }

  /** Only of holders that were gone: who hands over in order tells the next where it stopped. */
  #noteTakeover({ kind, facts }: FeedEntry): void {
    const isSudden = facts['cause'] === 'revoked' || facts['cause'] === 'expired';
    // Not by the time: one may die before its first tick.
    const isOfThisRun = this.fleet.pods.some(({ name }) => name === facts['from']);
    if (kind !== 'takeover' || !isSudden || !isOfThisRun) return;
    const { mode, loaded } = this.#world;
    const sinceMs = Number(facts['resumedAtMs'] ?? 0) - this.#runningSinceMs;
    const tick =
      mode === 'lockstep'
        ? (this.#auditors.status?.tick ?? 0)
        : this.#baseTick + Math.floor((sinceMs * loaded.manifest.tickHz) / 1000);
    this.#words.noteTakeover(tick, performance.now());
  }

  /** Puts what the auditor has to say into the world's feed, where every viewer finds it. */
  async #tellWords(): Promise<void> {
    const { status } = this.#auditors;
    if (status !== undefined && !this.#isEnding) {
      this.#untold.push(...this.#words.due(status, performance.now()));
    }
    for (let word = this.#untold[0]; word !== undefined; word = this.#untold[0]) {
      await this.#world.store.feed({ kind: 'audit', pod: '', facts: word });
      if (word.about !== 'start') this.say(wordLine(word));
      this.#untold.shift();
    }
  }

  /** Once a cell: who takes it over tries it again, and says the same. */
  #sayFrozen({ facts }: FeedEntry): void {
    const frozen = frozenOf(this.#feed);
    if (frozen.length >= FROZEN_SAID_MAX) return;
    if (frozen.some(({ cell }) => cell === Number(facts['cell']))) return;
    this.#output.warn(`cell ${facts['cell']} is frozen, the others go on. ${facts['why']}`);
    this.#output.warn('  mend the system and run again: the cell goes on from its last good tick');
  }

  /** Seconds since time runs; 0 before that. */
  #elapsedS(): number {
    return this.#startedMs === 0 ? 0 : (performance.now() - this.#startedMs) / 1000;
  }

  /** A pod was started, or told to drain, as there are to be more or fewer. */
  noteScaling(pod: string, what: Scaling['what'], why: string): void {
    this.#scaling.push({ atS: round(this.#elapsedS(), 1), pod, what, why });
    this.say(what === 'started' ? `started ${pod}: ${why}` : `${pod} drains: ${why}`);
  }

  /** Said in the view. */
  say(event: string): void {
    this.#happenings.say(this.#elapsedS(), event);
  }
}
