/** Adds a run up: what the auditor says, what the pods counted, and what was done to them. */
import type { FeedEntry, PodRecord } from '@leasehold/protocol';
import type { Verdict } from './auditor-process.ts';
import type { LayerCount } from './auditors.ts';
import {
  exitReasons,
  frozenOf,
  gapsOf,
  type Kill,
  podTotals,
  type Report,
  round,
  type Scaling,
  takeoversOf,
} from './report.ts';
import type { StoredWorld } from './stored-world.ts';

export type RunFacts = {
  /** How many were asked for. */
  readonly pods: number;
  readonly baseTick: number;
  readonly seconds: number;
  /** When the world's time began to run, on the store's clock. */
  readonly runningSinceMs: number;
  /** What this run's pods wrote into the world's feed. */
  readonly feed: readonly FeedEntry[];
  readonly kills: readonly Kill[];
  readonly stops: readonly Kill[];
  readonly scaling: readonly Scaling[];
  /** The last of every pod there was. */
  readonly reports: readonly PodRecord['report'][];
  readonly failures: readonly string[];
};

export function reportOf(
  world: StoredWorld,
  verdict: Verdict & { readonly layers: readonly LayerCount[] },
  facts: RunFacts,
): Report {
  const { name, incarnation, isContinued, mode, seed, redisKind, loaded } = world;
  const { tickHz } = loaded.manifest;
  const totals = podTotals(facts.reports);
  const takeovers = takeoversOf(facts.feed, {
    kills: facts.kills,
    stops: facts.stops,
    runningSinceMs: facts.runningSinceMs,
    // Lockstep waits instead of missing ticks.
    rateHz: mode === 'realtime' ? tickHz : 0,
  });
  const reasons = exitReasons(verdict, facts.failures);
  const ticks = Math.max(0, verdict.tickMax - facts.baseTick);
  const perTick = (value: number): number => round(value / Math.max(1, ticks), 1);
  return {
    world: name,
    incarnation,
    continued: isContinued,
    mode,
    seed,
    ticks,
    seconds: facts.seconds,
    pods: facts.pods,
    entitiesStart: verdict.entitiesStart,
    entitiesEnd: verdict.entitiesEnd,
    created: verdict.created,
    deleted: verdict.deleted,
    layers: verdict.layers,
    lost: verdict.lost,
    duplicated: verdict.duplicated,
    violations: verdict.violations,
    violationCount: verdict.violationCount,
    takeovers,
    gaps: gapsOf(takeovers),
    kills: facts.kills.length,
    stops: facts.stops.length,
    scaling: facts.scaling,
    jumps: totals.jumps,
    dueTicks: totals.dueTicks,
    lateTicks: totals.lateTicks,
    frozenCells: totals.frozen,
    frozen: frozenOf(facts.feed),
    commits: totals.commits,
    fencedCommits: totals.fenced,
    fencedRenewals: totals.fencedRenewals,
    redis: {
      kind: redisKind,
      bytesPerTick: perTick(totals.bytes),
      commandsPerTick: perTick(totals.commands),
      memoryBytes: verdict.memoryBytes,
    },
    tickMs: totals.tickMs,
    stateHash: mode === 'lockstep' ? verdict.stateHash : null,
    auditor: {
      isAtRest: verdict.isAtRest,
      unaccounted: verdict.unaccounted,
      inFlight: verdict.inFlight,
      blindSpotCount: verdict.blindSpotCount,
      rollbacks: verdict.rollbacks,
      healedCells: verdict.healedCells,
      rewrittenCells: verdict.rewrittenCells,
      unhealedCells: verdict.unhealedCells,
      unhealed: verdict.unhealed,
      lostEntities: verdict.lostEntities,
      duplicatedEntities: verdict.duplicatedEntities,
      checked: verdict.checked,
    },
    exitCode: reasons.length === 0 ? 0 : 1,
    reasons,
  };
}
