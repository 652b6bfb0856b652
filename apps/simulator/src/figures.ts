/** What the process of a pod knows of itself besides its cells, by the names of its report. */
import type { PodReport } from '@leasehold/pod';
import { SYSTEM_MS } from '@leasehold/protocol';
import type { Engine } from '@leasehold/sdk/engine';

export function processFigures({ systems, systemMs }: Pick<Engine, 'systems' | 'systemMs'>) {
  const figures: Record<string, number> = { memoryBytes: process.memoryUsage.rss() };
  systems.forEach((name, s) => {
    figures[`${SYSTEM_MS}${name}`] = Math.round(systemMs[s] as number);
  });
  return figures satisfies PodReport;
}
