/** What a pod reports of itself, under the names that Prometheus scrapes. */
import type { PodReport } from '@leasehold/pod';
import { SYSTEM_MS } from '@leasehold/protocol';
import { Counter, Gauge, type Registry } from 'prom-client';

type Figure = { readonly name: string; readonly help: string };

const GAUGES: Readonly<Record<string, Figure>> = {
  cells: { name: 'leasehold_cells_held', help: 'Cells whose lease this pod holds.' },
  busyCells: { name: 'leasehold_cells_busy', help: 'Held cells with at least one entity.' },
  entities: { name: 'leasehold_entities', help: 'Entities in held cells.' },
  frozen: { name: 'leasehold_cells_frozen', help: 'Held cells that do not tick any more.' },
  dilation: {
    name: 'leasehold_cell_dilation',
    help: 'Ticks of the world for one of the held cell whose time is dilated most; 1 = none is.',
  },
  dilatedCells: { name: 'leasehold_cells_dilated', help: 'Held cells whose time is dilated.' },
  ghosts: { name: 'leasehold_cells_followed', help: 'Neighbouring cells followed.' },
  replicas: { name: 'leasehold_replicas_behind', help: 'Replicas that commits are waited for.' },
  tick: { name: 'leasehold_tick', help: 'Newest tick that the store has accepted.' },
  behindTicks: { name: 'leasehold_ticks_behind', help: 'Ticks that the slowest cell is behind.' },
  tickMsP50: { name: 'leasehold_tick_ms_p50', help: 'Median time to tick all due cells, in ms.' },
  tickMsP99: { name: 'leasehold_tick_ms_p99', help: '99th percentile of the same.' },
  memoryBytes: { name: 'leasehold_memory_bytes', help: 'Memory that the process occupies.' },
  coolingWaits: {
    name: 'leasehold_cooling_waits',
    help: '1 while cells that sleep stay in Redis because PostgreSQL does not answer.',
  },
  commitMsP50: { name: 'leasehold_commit_ms_p50', help: 'Median round trip of a commit, in ms.' },
  commitMsP99: { name: 'leasehold_commit_ms_p99', help: '99th percentile of the same.' },
};

const COUNTERS: Readonly<Record<string, Figure>> = {
  ticks: { name: 'leasehold_ticks_total', help: 'Rounds in which at least one cell ticked.' },
  cellTicks: { name: 'leasehold_cell_ticks_total', help: 'Ticks of cells.' },
  commits: { name: 'leasehold_commits_total', help: 'Commits that the store has.' },
  fenced: { name: 'leasehold_commits_fenced_total', help: 'Commits refused for a lost lease.' },
  fencedRenewals: {
    name: 'leasehold_renewals_fenced_total',
    help: 'Renewals refused for a lost lease.',
  },
  unknown: { name: 'leasehold_commits_unknown_total', help: 'Commits whose reply was lost.' },
  refused: { name: 'leasehold_commits_refused_total', help: 'Commits that Redis refused.' },
  healed: { name: 'leasehold_commits_healed_total', help: 'Commits appended a second time.' },
  reloads: { name: 'leasehold_reloads_total', help: 'Cells read anew from the store.' },
  resyncs: { name: 'leasehold_resyncs_total', help: 'Followed cells read anew.' },
  births: { name: 'leasehold_births_total', help: 'Entities spawned.' },
  deaths: { name: 'leasehold_deaths_total', help: 'Entities despawned.' },
  crossings: { name: 'leasehold_crossings_total', help: 'Entities that left for another cell.' },
  cellsCooled: {
    name: 'leasehold_cells_cooled_total',
    help: 'Cells that fell asleep and that this pod moved from Redis to PostgreSQL.',
  },
  dueTicks: {
    name: 'leasehold_cell_ticks_due_total',
    help: 'Ticks that were due in cells in which something is, in realtime.',
  },
  lateTicks: {
    name: 'leasehold_cell_ticks_late_total',
    help: 'Those of them that began after the next was due, or were left out.',
  },
  jumps: { name: 'leasehold_jumps_total', help: 'Times that missed ticks were left out.' },
};

/** Registers every figure; they are read from `report` whenever somebody scrapes. */
export function registerPodMetrics(
  registry: Registry,
  report: () => PodReport,
  labels: Readonly<Record<string, string>>,
): void {
  registry.setDefaultLabels({ ...labels });
  for (const [key, figure] of Object.entries(GAUGES)) {
    const gauge: Gauge = new Gauge({
      ...figure,
      registers: [registry],
      collect: () => gauge.set(report()[key] ?? 0),
    });
  }
  for (const [key, figure] of Object.entries(COUNTERS)) {
    const counter: Counter = new Counter({
      ...figure,
      registers: [registry],
      collect: () => {
        counter.reset();
        counter.inc(report()[key] ?? 0);
      },
    });
  }
  const systems: Counter<'system'> = new Counter({
    name: 'leasehold_system_seconds_total',
    help: 'Time spent in each system.',
    labelNames: ['system'],
    registers: [registry],
    collect: () => {
      systems.reset();
      for (const [key, ms] of Object.entries(report())) {
        if (!key.startsWith(SYSTEM_MS)) continue;
        systems.inc({ system: key.slice(SYSTEM_MS.length) }, ms / 1_000);
      }
    },
  });
}
