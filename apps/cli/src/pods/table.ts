/** What is known of each pod of a world, and how it is shown. */
import {
  type CellLoad,
  type Plan,
  type PodOrder,
  type PodRecord,
  SYSTEM_MS,
} from '@leasehold/protocol';
import type { Colors } from '../output.ts';
import { plain, textTable } from '../text-table.ts';

export type PodFacts = {
  readonly pod: string;
  readonly layer: string;
  /** `gone`: its connection is closed, and it has not said goodbye. */
  readonly state: PodRecord['state'] | 'gone';
  readonly order: PodOrder;
  readonly cells: number;
  readonly entities: number;
  /** What ticking all its cells takes; null = it has not said. */
  readonly tickMs: number | null;
  /** `tickMs` by what a tick may take; null where either is not known. */
  readonly utilization: number | null;
  /** Of the plan: those that it should hold, and those that it stands by for. */
  readonly regions: number;
  readonly standbys: number;
  /** Of its process; null = it has not said. */
  readonly memoryBytes: number | null;
  /** What each system takes of a tick of the pod, on average since it began. */
  readonly systemMs: Readonly<Record<string, number>>;
  readonly pid: number;
};

export type PodSources = {
  readonly records: readonly PodRecord[];
  readonly connected: ReadonlySet<string>;
  readonly orders: ReadonlyMap<string, PodOrder>;
  readonly loads: ReadonlyMap<string, readonly CellLoad[]>;
  readonly plan: Plan | undefined;
  /** 0 = not known. */
  readonly tickBudgetMs: number;
};

export function podFacts(sources: PodSources): PodFacts[] {
  const { connected, orders, loads, plan, tickBudgetMs } = sources;
  const regions = plan?.regions ?? [];
  return sources.records.map(({ pod, layer, pid, state, report }) => {
    const said = loads.get(pod);
    const tickMs = said?.reduce((sum, load) => sum + load.tickMs, 0) ?? null;
    return {
      ...{ pod, layer },
      state: connected.has(pod) ? state : 'gone',
      order: orders.get(pod) ?? '',
      cells: report['cells'] ?? 0,
      entities: report['entities'] ?? 0,
      tickMs,
      utilization: tickMs === null || tickBudgetMs === 0 ? null : tickMs / tickBudgetMs,
      regions: regions.filter((region) => region.pod === pod).length,
      standbys: regions.filter((region) => region.standby === pod).length,
      memoryBytes: report['memoryBytes'] ?? null,
      systemMs: systemMsOf(report),
      pid,
    };
  });
}

const MEGABYTE = 1e6;

function systemMsOf(report: PodRecord['report']): Record<string, number> {
  const ticks = Math.max(1, report['ticks'] ?? 0);
  const own = Object.entries(report).filter(([key]) => key.startsWith(SYSTEM_MS));
  return Object.fromEntries(own.map(([key, ms]) => [key.slice(SYSTEM_MS.length), ms / ticks]));
}

const TITLES = ['state', 'order', 'cells', 'entities', 'tick ms', 'of budget', 'regions'];

/** `isLayered`: the layer of each is told, too. */
export function podLines(
  pods: readonly PodFacts[],
  { dim, green, yellow }: Colors,
  isLayered = false,
): string[] {
  const named = (pod: string, layer: string): string[] => (isLayered ? [pod, layer] : [pod]);
  const rows = pods.map((facts) => [
    ...named(plain(facts.pod), facts.layer),
    facts.state,
    facts.order === '' ? '-' : facts.order,
    String(facts.cells),
    String(facts.entities),
    facts.tickMs?.toFixed(2) ?? '-',
    facts.utilization === null ? '-' : `${(facts.utilization * 100).toFixed(0)} %`,
    String(facts.regions),
    String(facts.standbys),
    facts.memoryBytes === null ? '-' : `${(facts.memoryBytes / MEGABYTE).toFixed(0)} MB`,
    String(facts.pid),
  ]);
  const [title = '', ...lines] = textTable(
    [[...named('pod', 'layer'), ...TITLES, 'standby', 'memory', 'pid'], ...rows],
    new Set(isLayered ? [0, 1, 2, 3] : [0, 1, 2]),
  );
  const beforeState = isLayered ? /^(\s*\S+\s+\S+\s+)(\w+)/ : /^(\s*\S+\s+)(\w+)/;
  const paintOf = ({ state, order }: PodFacts) =>
    state === 'ready' && order === '' ? green : yellow;
  return [
    dim(title),
    ...lines.map((line, i) => {
      const facts = pods[i] as PodFacts;
      return line.replace(beforeState, (_, head, state) => head + paintOf(facts)(state));
    }),
  ];
}
