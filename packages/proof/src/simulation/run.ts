/**
 * One seed, one run: a world lives through faults (safety: nothing is ever wrong), then faults stop
 * and it must come right (liveness). Everything is given: time, network, dice; so the same seed is
 * the same run, to the last call.
 */
import type { Log } from '@leasehold/kernel';
import type { TwinDefect } from '@leasehold/twin-store';
import { type Armed, type Rig, spread, type Ways } from './fault.ts';
import { Fleet } from './fleet.ts';
import { Gateways } from './gateways.ts';
import { Host } from './host.ts';
import { frozenCells, settle } from './liveness.ts';
import { calmPlan, type Drawn, draw, type Plan, stream } from './plan.ts';
import { type LineKind, Trace } from './trace.ts';
import { Viewers } from './viewers.ts';
import { VirtualTime } from './virtual-time.ts';
import type { CallFault, Net } from './wire.ts';
import { census, openWorld } from './world.ts';

/** How often everybody is counted while faults last. */
const CENSUS_MS = 4_000;

export type RunOptions = {
  readonly defects?: readonly TwinDefect[];
  /** Lines to keep. */
  readonly keeps?: readonly LineKind[];
};

export type RunResult = {
  readonly plan: Plan;
  /** '' when nothing was wrong; the first thing that was otherwise. */
  readonly failure: string;
  /** It need not come right: cells of it are frozen, as is promised. */
  readonly isExcused: boolean;
  readonly virtualMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly calls: number;
  readonly commits: number;
  readonly crossings: number;
  /** Of everything that happened. */
  readonly traceHash: string;
  /** Of the world at the end. */
  readonly stateHash: string;
  readonly lines: readonly string[];
};

/** Runs a seed. The answer says whether a promise was broken; it throws only by a defect of its own. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const drawn = draw(seed);
  const { world } = drawn.plan;
  const calm = world.mode === 'lockstep' ? await calmHash(drawn.plan) : undefined;
  return run(drawn, { ...options, ...(calm === undefined ? {} : { calm }) });
}

const calmHashes = new Map<string, Promise<string>>();

/** T1: what the world comes to when nothing happens to it. */
function calmHash({ world }: Plan): Promise<string> {
  const key = JSON.stringify(world);
  let found = calmHashes.get(key);
  if (found === undefined) {
    found = run({ plan: calmPlan(world), arm: () => [] }, {}).then(({ failure, stateHash }) => {
      if (failure !== '') throw new Error(`a world that nothing happens to fails: ${failure}`);
      return stateHash;
    });
    calmHashes.set(key, found);
  }
  return found;
}

async function run(drawn: Drawn, options: RunOptions & { calm?: string }): Promise<RunResult> {
  const { plan } = drawn;
  const time = new VirtualTime();
  const trace = new Trace(time, options.keeps ?? []);
  const { rig, net } = await openRig(plan, { time, trace, defects: options.defects ?? [] });
  const armed = drawn.arm(rig);
  for (const { onCall } of armed) if (onCall !== undefined) net.faults.push(onCall);
  for (let i = 0; i < plan.pods; i++) rig.fleet.start(plan.pods);
  let failure = await suffer(plan, rig, armed);
  net.faults.length = 0;
  for (const { heal } of armed) heal?.();
  trace.note('event', 'run', 'faults stop');
  if (rig.calmAtMs > time.nowMs) await time.advance(rig.calmAtMs - time.nowMs);
  let isExcused = false;
  if (failure === '') {
    failure = await settle(rig, plan, options.calm);
    isExcused = failure !== '' && frozenCells(rig).length > 0;
    if (isExcused) failure = rig.world.ledger.violations[0] ?? census(rig.world).faults[0] ?? '';
  }
  trace.note('event', 'run', failure === '' ? 'ends well' : failure);
  rig.viewers.close();
  const { ledger } = rig.world;
  return {
    ...{
      plan,
      failure,
      isExcused,
      virtualMs: time.nowMs,
      faults: trace.faults,
      calls: trace.calls,
    },
    ...{ commits: ledger.commits, crossings: ledger.crossings, traceHash: trace.hash },
    ...{ stateHash: census(rig.world).hash, lines: trace.lines },
  };
}

type Given = {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly defects: readonly TwinDefect[];
};

async function openRig(
  plan: Plan,
  { time, trace, defects }: Given,
): Promise<{ rig: Rig; net: Net & { faults: CallFault[] } }> {
  const { seed, replicas, replicaLagMs } = plan;
  const storeHost = new Host(time, 'store', () => undefined);
  const world = await openWorld(plan.world, {
    ...{ time, clock: storeHost, replicas, replicaLagMs, defects },
  });
  const ways: Ways = new Map();
  const net = {
    ...{ time, trace, server: world.server, faults: [] as CallFault[] },
    closedSince: (host: Host) => ways.get(host)?.sinceMs,
    silentSince: (name: string) => {
      const host = fleet.hostOf.get(name);
      return host && (host.silentSinceMs ?? ways.get(host)?.sinceMs);
    },
  };
  const logOf = (name: string): Log => logTo(trace, name);
  const parts = { net, world, logOf };
  const fleet: Fleet = new Fleet({
    ...{ ...parts, random: stream(seed, 'nonces') },
    ...{ size: plan.pods, sliceMs: plan.sliceMs },
  });
  const gateways = new Gateways({ ...parts, size: plan.gateways });
  const random = stream(seed, 'viewers');
  const viewers = new Viewers({ time, gateways, world, random }, plan.viewers);
  const parties = { fleet, gateways, viewers };
  return { rig: { time, trace, world, storeHost, ways, ...parties, calmAtMs: 0 }, net };
}

function logTo(trace: Trace, name: string): Log {
  const say = (level: string) => (facts: unknown, message?: string) => {
    const said = message ?? String(facts);
    trace.note('log', name, `${level} ${said} ${factsText(facts)}`);
  };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

function factsText(facts: unknown): string {
  return JSON.stringify(facts, (key, value) => {
    return key === 'err' && value instanceof Error ? value.message : value;
  });
}

/** Safety: one strike after the other, with everybody counted now and then. */
async function suffer(plan: Plan, rig: Rig, armed: readonly Armed[]): Promise<string> {
  const { time, world } = rig;
  const random = stream(plan.seed, 'strikes');
  const strikes = armed.flatMap(({ strike }) => (strike === undefined ? [] : [strike]));
  const isLockstep = world.options.mode === 'lockstep';
  let countedMs = 0;
  while (time.nowMs < plan.faultyMs) {
    const gapMs = strikes.length === 0 ? CENSUS_MS : spread(random, plan.gapMs / 8, plan.gapMs * 3);
    await time.advance(Math.min(gapMs, plan.faultyMs - time.nowMs));
    if (time.nowMs - countedMs >= CENSUS_MS) {
      countedMs = time.nowMs;
      for (const fault of census(world).faults) world.ledger.violations.push(fault);
    }
    const [violation] = world.ledger.violations;
    if (violation !== undefined) return violation;
    // A lockstep world that has come to its end has nothing more to lose.
    if (isLockstep && isAtEnd(rig)) break;
    strikes[random.below(strikes.length)]?.();
  }
  return '';
}

function isAtEnd({ world }: Rig): boolean {
  const { endTick } = world.options;
  for (let cell = 0; cell < world.grid.cells; cell++) {
    if (world.ledger.pageOf(cell).tick < endTick) return false;
  }
  return true;
}
