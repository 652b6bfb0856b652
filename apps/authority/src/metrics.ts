/** What an authority knows, under the names that Prometheus scrapes. Only the one that leads has some. */
import type { Authority, AuthorityStatus } from '@leasehold/authority';
import { Gauge, type Registry } from 'prom-client';

type Figure = {
  readonly name: string;
  readonly help: string;
  /** undefined: it is not known here, and nothing is said. */
  readonly of: (status: AuthorityStatus) => number | undefined;
};

const FIGURES: readonly Figure[] = [
  {
    name: 'leasehold_authority_leads',
    help: '1 where this process leads.',
    of: ({ isLeading }) => (isLeading ? 1 : 0),
  },
  {
    name: 'leasehold_pods_wanted',
    help: 'Pods that the load asks for, damped.',
    of: ({ wanted }) => wanted?.pods,
  },
  {
    name: 'leasehold_tick_utilization',
    help: 'Tick time of all cells by the tick budgets of all pods.',
    of: ({ wanted }) => wanted?.utilization,
  },
  {
    name: 'leasehold_plan_version',
    help: 'Version of the plan in force.',
    of: ({ plan }) => plan?.version,
  },
  {
    name: 'leasehold_regions',
    help: 'Regions of the plan in force.',
    of: ({ plan }) => plan?.regions.length,
  },
  {
    name: 'leasehold_cells_asleep',
    help: 'Cells that nobody is to hold.',
    of: ({ plan }) => plan?.asleep.reduce((sum, [, count]) => sum + count, 0),
  },
  {
    name: 'leasehold_cells_viewed',
    help: 'Cells that somebody looks at through a gateway.',
    of: ({ attention }) =>
      attention?.viewers.reduce((sum, viewers) => sum + Math.min(1, viewers), 0),
  },
  {
    name: 'leasehold_cells_ordered_awake',
    help: 'Cells that have been ordered to be awake.',
    of: ({ attention }) => attention?.ordered.reduce((sum, is) => sum + is, 0),
  },
  {
    name: 'leasehold_plan_ms',
    help: 'Time that computing the last plan took, in ms.',
    of: ({ isLeading, planMs }) => (isLeading ? planMs : undefined),
  },
  {
    name: 'leasehold_regions_relieved',
    help: 'Regions that are beyond a pod, for which something is done.',
    of: ({ plan }) => plan?.regions.filter(({ relief }) => relief !== undefined).length,
  },
  ...(['alone', 'slow-views', 'dilated', 'overloaded'] as const).map(
    (relief): Figure => ({
      name: `leasehold_regions_${relief.replace('-', '_')}`,
      help: `Those for which the last step was: ${relief}.`,
      of: ({ plan }) => plan?.regions.filter((region) => region.relief === relief).length,
    }),
  ),
];

export function registerAuthorityMetrics(
  registry: Registry,
  authority: Authority,
  labels: { readonly world: string; readonly layer: string },
): void {
  registry.setDefaultLabels({ ...labels });
  for (const { name, help, of } of FIGURES) {
    const gauge: Gauge = new Gauge({
      ...{ name, help, registers: [registry] },
      collect: () => {
        const value = of(authority.status);
        if (value === undefined) gauge.remove();
        else gauge.set(value);
      },
    });
  }
}
