/**
 * Does to a run what the plan says, and writes down what was done to whom, and when. Faults of pods
 * and gateways may overlap. A fault of Redis has the world to itself: a tick is promised to survive
 * the death of the primary or of its pod, not of both before the replica, or the file, has it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '../fleet.ts';
import type { LiveRun } from '../live-run.ts';
import { round } from '../report.ts';
import type { FaultKind, PlannedFault } from './faults.ts';
import type { RedisPair } from './redis-pair.ts';

export type FaultRecord = {
  readonly kind: FaultKind;
  /** Who it befell: a pod, a gateway, an authority, a server, or `all pods`. */
  readonly target: string;
  /** Seconds since the world's time began to run. */
  readonly beginS: number;
  endS: number;
  /** On the store's clock. */
  readonly beginMs: number;
  endMs: number;
  /** What the auditor had read. */
  readonly beginTick: number;
  endTick: number;
  /** What exactly was done. */
  readonly what: string;
};

export type InjectorParts = {
  readonly run: LiveRun;
  readonly redis: RedisPair;
  readonly plan: readonly PlannedFault[];
  /** How far the run is, as a share of the time in which faults begin. */
  readonly progress: () => number;
  /** Of the world. */
  readonly cells: number;
  /** In lockstep: the last tick has been committed everywhere. */
  readonly isAtEnd: () => boolean;
  /** On the store's clock. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
};

const LOOK_MS = 20;
/** Long enough for whoever has come or woken to take its share. */
const CALM_MS = 500;
/** What a fleet may take to be itself again before a fault of Redis; after that there is none. */
const CALM_MS_MAX = 60_000;
const NO_CALM =
  'was left out: the pods did not come to hold every cell with a replica behind them in ' +
  `${CALM_MS_MAX / 1000} s, as on a machine that is too busy for so many`;
const START_MS_MAX = 30_000;
/** An authority takes the lead within two seconds, and then plans. */
const LEADING_MS_MAX = 20_000;
/** Each look asks each authority. */
const LEADER_LOOK_MS = 100;
const NO_LEADER = `an authority was not killed: none led for ${LEADING_MS_MAX / 1000} s`;
const LISTENING_MS_MAX = 30_000;
/** Until a pod is free of other faults, or has been started. */
const FREE_MS_MAX = 20_000;

export class Injector {
  readonly records: FaultRecord[] = [];
  /** Faults that were planned and did not happen, and why. */
  readonly leftOut: string[] = [];
  readonly #parts: InjectorParts;
  readonly #active = new Set<Promise<void>>();
  /** Pods that something is being done to. */
  readonly #busy = new Set<string>();

  constructor(parts: InjectorParts) {
    this.#parts = parts;
  }

  /** Resolves when the last fault has ended, or soon after the signal. Rejects if one failed. */
  async drive(): Promise<void> {
    const { plan, progress, signal } = this.#parts;
    for (const fault of plan) {
      while (progress() < fault.share && !signal.aborted) await this.#pause(LOOK_MS);
      if (signal.aborted) break;
      await this.#begin(fault);
    }
    await Promise.all(this.#active);
    this.#parts.redis.heal();
  }

  async #begin(fault: PlannedFault): Promise<void> {
    const isOfRedis = fault.kind === 'failover' || fault.kind === 'redis-restart';
    if (isOfRedis) {
      await Promise.all(this.#active);
      if (!(await this.#becomesCalm())) return this.#leaveOut(`a ${fault.kind} ${NO_CALM}`);
    }
    const done = this.#inject(fault).finally(() => this.#active.delete(done));
    this.#active.add(done);
    if (!isOfRedis) return;
    await done;
    await this.#becomesCalm();
  }

  /**
   * Every pod that runs says of the present server that its replica, if there is one, has all, and
   * together they have held every cell for a while; or nobody writes any more, and a pod without anything to send does
   * not ask. Waits for it; false if it does not come.
   */
  async #becomesCalm(): Promise<boolean> {
    const { run, redis, cells, signal, nowMs, isAtEnd } = this.#parts;
    await redis.untilReplicated();
    const replicas = redis.replicaName === '' ? 0 : 1;
    const deadlineMs = performance.now() + CALM_MS_MAX;
    let sinceMs = nowMs();
    while (performance.now() < deadlineMs) {
      if (signal.aborted) return false;
      if (isAtEnd()) return true;
      const pods = run.fleet.running;
      const held = pods.reduce((sum, { report }) => sum + (report['cells'] ?? 0), 0);
      const areSafe = pods.every(({ report }) => (report['replicas'] ?? 0) >= replicas);
      if (run.audit?.isConnected !== true || !areSafe || held !== cells) sinceMs = nowMs();
      // Each has said so anew since then.
      if (pods.every(({ reportedAtMs }) => reportedAtMs > sinceMs + CALM_MS)) {
        await redis.untilReplicated();
        return true;
      }
      await this.#pause(LOOK_MS);
    }
    return false;
  }

  #leaveOut(why: string): void {
    if (this.#parts.signal.aborted) return;
    this.#parts.say(why);
    this.leftOut.push(why);
  }

  #inject(fault: PlannedFault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        return this.#kill(fault);
      case 'stop':
        return this.#stop(fault);
      case 'partition':
        return this.#partition(fault);
      case 'slow':
        return this.#slow(fault);
      case 'rolling':
        return this.#roll();
      case 'gateway':
        return this.#killGateway(fault);
      case 'authority':
        return this.#killAuthority();
      case 'redis-restart':
        return this.#restartRedis(fault);
      case 'failover':
        return this.#failOver(fault);
    }
  }

  async #kill({ pick }: PlannedFault): Promise<void> {
    const { run } = this.#parts;
    const pod = await this.#choose(pick);
    if (pod === undefined) return;
    const record = this.#note('kill', pod.name, 'SIGKILL');
    run.kill(pod, 'killed');
    await pod.child.exited;
    this.#end(record);
  }

  async #stop({ pick, forMs }: PlannedFault): Promise<void> {
    const { run } = this.#parts;
    const pod = await this.#choose(pick);
    if (pod === undefined) return;
    const record = this.#note('stop', pod.name, `SIGSTOP for ${forMs} ms`);
    await this.#with(pod, async () => {
      run.freeze(pod, forMs);
      await this.#pause(forMs);
      run.fleet.wake(pod);
    });
    this.#end(record);
  }

  async #partition({ pick, forMs, way }: PlannedFault): Promise<void> {
    const { redis, run } = this.#parts;
    const pod = await this.#choose(pick);
    const line = pod === undefined ? undefined : redis.line(pod.name);
    if (pod === undefined || line === undefined) return;
    const ways = { up: 'to Redis', down: 'from Redis', both: 'both ways' };
    const record = this.#note('partition', pod.name, `black hole ${ways[way]} for ${forMs} ms`);
    run.say(`cut ${pod.name} off for ${round(forMs / 1000, 1)} s, ${ways[way]}`);
    await this.#with(pod, async () => {
      line.blackhole(way);
      await this.#pause(forMs);
      line.heal();
    });
    this.#end(record);
  }

  async #slow({ pick, forMs, delayMs, isForAll }: PlannedFault): Promise<void> {
    const { redis, run } = this.#parts;
    const one = await this.#choose(pick);
    const pods = run.fleet.running.filter(({ name }) => !this.#busy.has(name));
    const slowed = isForAll ? pods : one === undefined ? [] : [one];
    if (slowed.length === 0) return;
    const target = slowed.length === 1 ? (slowed[0] as Pod).name : 'all pods';
    const record = this.#note('slow', target, `+${delayMs} ms a round trip for ${forMs} ms`);
    run.say(`Redis is ${delayMs} ms farther from ${target} for ${round(forMs / 1000, 1)} s`);
    for (const { name } of slowed) {
      this.#busy.add(name);
      redis.line(name)?.delay(delayMs / 2);
    }
    await this.#pause(forMs);
    for (const { name } of slowed) {
      this.#busy.delete(name);
      redis.line(name)?.heal();
    }
    this.#end(record);
  }

  /** A rolling restart: for each pod another is started, and then it hands over and leaves. */
  async #roll(): Promise<void> {
    const { run, signal } = this.#parts;
    const pods = run.fleet.running.filter(({ name }) => !this.#busy.has(name));
    const record = this.#note('rolling', 'all pods', `${pods.length} pods, one by one`);
    for (const old of pods) {
      if (signal.aborted) break;
      if (old.state !== 'running') continue;
      const next = run.fleet.start(old.layer);
      run.say(`${next.name} replaces ${old.name}`);
      await run.untilReady(next, START_MS_MAX).catch(() => false);
      if (old.state === 'running') await this.#with(old, () => run.fleet.drain(old));
    }
    this.#end(record);
  }

  async #killGateway({ pick }: PlannedFault): Promise<void> {
    const { run, signal } = this.#parts;
    const { names } = run.gateways;
    const name = names[Math.floor(pick * names.length)];
    if (name === undefined) return;
    const record = this.#note('gateway', name, 'SIGKILL');
    run.say(`${name} killed`);
    run.gateways.kill(name);
    await this.#pause(LOOK_MS * 5);
    const deadlineMs = performance.now() + LISTENING_MS_MAX;
    while (!run.gateways.areListening && !signal.aborted && performance.now() < deadlineMs) {
      await this.#pause(LOOK_MS);
    }
    this.#end(record);
  }

  /** Ends when another leads and has planned. */
  async #killAuthority(): Promise<void> {
    const { run, signal } = this.#parts;
    const deadlineMs = performance.now() + LEADING_MS_MAX;
    const leaderNow = async (): Promise<string | undefined> => {
      while (!signal.aborted && performance.now() < deadlineMs) {
        const name = await run.authorities.leader();
        if (name !== undefined) return name;
        await this.#pause(LEADER_LOOK_MS);
      }
      return undefined;
    };
    const name = await leaderNow();
    if (name === undefined) return this.#leaveOut(NO_LEADER);
    const record = this.#note('authority', name, 'SIGKILL of the one that leads');
    run.say(`${name} killed, which led`);
    run.authorities.kill(name);
    await leaderNow();
    this.#end(record);
  }

  async #restartRedis({ forMs }: PlannedFault): Promise<void> {
    const { redis, run } = this.#parts;
    const what = `SIGKILL, ${forMs} ms later started from its append-only file`;
    const record = this.#note('redis-restart', redis.primaryName, what);
    run.say(`${redis.primaryName} killed and started again`);
    await redis.restart(forMs);
    this.#end(record);
  }

  async #failOver({ forMs, delayMs }: PlannedFault): Promise<void> {
    const { redis, run } = this.#parts;
    const [old, next] = [redis.primaryName, redis.replicaName];
    const what = `${next} lags for ${2 * forMs} ms, ${old} is killed, ${next} promoted`;
    const record = this.#note('failover', old, what);
    run.say(`${old} is killed, ${next} takes its place`);
    await redis.failOver(forMs, delayMs);
    this.#end(record);
  }

  /** One that nothing else is being done to; waits a while until there is one. */
  async #choose(pick: number): Promise<Pod | undefined> {
    const deadlineMs = performance.now() + FREE_MS_MAX;
    for (;;) {
      const free = this.#parts.run.fleet.running.filter(({ name }) => !this.#busy.has(name));
      const pod = free[Math.floor(pick * free.length)];
      if (pod !== undefined) return pod;
      if (this.#parts.signal.aborted || performance.now() > deadlineMs) return undefined;
      await this.#pause(LOOK_MS);
    }
  }

  async #with(pod: Pod, act: () => Promise<void>): Promise<void> {
    this.#busy.add(pod.name);
    await act().finally(() => this.#busy.delete(pod.name));
  }

  #note(kind: FaultKind, target: string, what: string): FaultRecord {
    const beginMs = this.#parts.nowMs();
    const { run } = this.#parts;
    const beginS = this.#secondsOf(beginMs);
    const tick = run.audit?.tick ?? 0;
    const open = { endS: beginS, endMs: beginMs, endTick: tick };
    const record = { kind, target, what, beginS, beginMs, beginTick: tick, ...open };
    this.records.push(record);
    this.#parts.say(`${kind} ${target}: ${what}`);
    return record;
  }

  #end(record: FaultRecord): void {
    record.endMs = this.#parts.nowMs();
    record.endS = this.#secondsOf(record.endMs);
    record.endTick = this.#parts.run.audit?.tick ?? 0;
  }

  #secondsOf(atMs: number): number {
    return round((atMs - this.#parts.run.runningSinceMs) / 1000);
  }

  /** Ends early when the run is to end. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#parts;
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
