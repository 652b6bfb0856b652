/** Many seeds, one after the other: what they add up to, and which of them failed. */
import type { TwinDefect } from '@leasehold/twin-store';
import { type RunResult, runSeed } from './run.ts';

/** One seed in so many is run a second time, and must be the same to the last call. */
const REPEAT_EVERY = 100;

export type SwarmOptions = {
  readonly from: number;
  readonly seeds: number;
  readonly defects?: readonly TwinDefect[];
  /** Ends with the first failure. */
  readonly stopsAtFailure?: boolean;
  readonly onSeed?: (done: number, result: RunResult) => void;
};

export type Failure = { readonly seed: number; readonly failure: string; readonly plan: object };

export type Swarm = {
  readonly seeds: number;
  readonly failures: readonly Failure[];
  /** Runs that need not come right: too many pods died on a cell, and it is frozen. */
  readonly excused: number;
  readonly repeated: number;
  readonly virtualS: number;
  readonly realS: number;
  /** Virtual time by the time that the processor was busy with it. */
  readonly timesRealTime: number;
  readonly calls: number;
  readonly commits: number;
  readonly crossings: number;
  readonly faults: Readonly<Record<string, number>>;
};

export async function runSwarm(options: SwarmOptions): Promise<Swarm> {
  const { from, seeds, defects = [], stopsAtFailure = false } = options;
  const failures: Failure[] = [];
  const faults = new Map<string, number>();
  const totals = { excused: 0, virtualMs: 0, calls: 0, commits: 0, crossings: 0 };
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  let repeated = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed(seed, { defects });
    done++;
    totals.virtualMs += result.virtualMs;
    if (result.isExcused) totals.excused++;
    totals.calls += result.calls;
    totals.commits += result.commits;
    totals.crossings += result.crossings;
    for (const [kind, count] of result.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
    const { plan, failure } = result;
    if (failure !== '') failures.push({ seed, failure, plan });
    if ((seed - from) % REPEAT_EVERY === 0) {
      repeated++;
      totals.virtualMs += result.virtualMs;
      const { traceHash } = await runSeed(seed, { defects });
      const isSame = traceHash === result.traceHash;
      const told = `not deterministic: ${result.traceHash}, then ${traceHash}`;
      if (!isSame) failures.push({ seed, failure: told, plan });
    }
    options.onSeed?.(done, result);
    if (stopsAtFailure && failures.length > 0) break;
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    ...{
      seeds: done,
      failures,
      excused: totals.excused,
      repeated,
      virtualS: totals.virtualMs / 1_000,
    },
    realS: (performance.now() - startMs) / 1_000,
    timesRealTime: totals.virtualMs / ((user + system) / 1_000),
    ...{ calls: totals.calls, commits: totals.commits, crossings: totals.crossings },
    faults: Object.fromEntries([...faults].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
