/** `leasehold plan explain`: one region, who is around it, and every decision that it was part of. */
import { LeaseholdError } from '@leasehold/kernel';
import type { JournalEntry, Region } from '@leasehold/protocol';
import { type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count, plain } from '../text-table.ts';
import { ENTRIES_MAX } from './options.ts';
import { loadOf, loadsByCell } from './show.ts';
import { entryLine, loadLine, placeOf, reliefText } from './words.ts';

export function explain(id: number, flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async ({ plans, world, layer, grid }) => {
    const plan = await plans.plan();
    const journal = await plans.journal('', ENTRIES_MAX);
    const entries = journal.filter(({ regions }) => regions.includes(id));
    const region = plan?.regions.find((one) => one.id === id);
    if (region === undefined && entries.length === 0) throw regionUnknown(id);
    const loads = loadsByCell(await plans.loads());
    const load = region && loadOf(region.rect, grid.columns, loads);
    const version = plan?.version ?? null;
    const found = region === undefined ? null : { ...region, ...load };
    output.json({ world, layer, plan: version, region: found, entries });
    output.print(regionLines(id, region, load, output).join('\n'));
    output.print(entryLines(entries, output).join('\n'));
    return 0;
  });
}

function regionUnknown(id: number): LeaseholdError {
  return new LeaseholdError('REGION_UNKNOWN', `there is no region ${id}, and was none`, {
    field: 'region',
    value: String(id),
    remedy: 'Take the number of a region that `leasehold plan show` lists.',
  });
}

function regionLines(
  id: number,
  region: Region | undefined,
  load: { readonly tickMs: number; readonly entities: number } | undefined,
  { colors: { bold } }: Output,
): string[] {
  const title = bold(`region ${id}`);
  if (region === undefined) return [`${title} is no more: it was merged or cut into others`];
  const { pod, standby, rect, edges } = region;
  const relief = reliefText(region);
  const sum = load ?? { tickMs: 0, entities: 0 };
  return [
    `${title}  ${placeOf(rect)}: ${count(sum.entities, 'entity', 'entities')}, ` +
      `${sum.tickMs.toFixed(2)} ms a tick`,
    `  held by     ${pod === '' ? 'nobody: there is no pod' : plain(pod)}`,
    `  standby     ${standby === '' ? 'nobody: no pod can be spared' : plain(standby)}`,
    ...(relief === '' ? [] : [`  relief      ${relief}`]),
    ...edges.map(({ side, region: other, pod: across, cells }) => {
      const whose = across === pod ? 'of the same pod' : `of ${plain(across)}`;
      return `  ${side.padEnd(10)}  region ${other} ${whose}, along ${count(cells, 'cell')}`;
    }),
  ];
}

function entryLines(entries: readonly JournalEntry[], { colors }: Output): string[] {
  if (entries.length === 0) return ['  the journal has nothing about it any more'];
  return entries.flatMap((entry) => {
    const loads = loadLine(entry);
    return [
      `  ${entryLine(entry, colors)}`,
      ...(loads === undefined ? [] : [colors.dim(`      loads ${loads}`)]),
    ];
  });
}
