/** `leasehold plan wake`: cells of an area are held and ticked for a time, though nothing is in them. */
import type { Area } from '@leasehold/client';
import { LeaseholdError } from '@leasehold/kernel';
import type { Interest } from '@leasehold/protocol';
import { AreaShape, type Grid } from '@leasehold/spatial';
import { type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count } from '../text-table.ts';
import { timeOf } from './words.ts';

export type WakeFlags = WorldFlags & {
  readonly area: Area;
  readonly forMs: number;
  /** Orders of the same name replace each other. */
  readonly name: string;
};

export function wake(flags: WakeFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async ({ world, layer, grid, plans }) => {
    const wanted = runsOf(cellsOf(flags.area, grid));
    const runs = flags.forMs === 0 ? [] : wanted;
    const untilMs = Math.floor(plans.nowMs() + flags.forMs);
    await plans.putInterest(flags.name, { kind: 'order', untilMs, runs });
    const cells = runs.reduce((sum, [, length]) => sum + length, 0);
    const plan = await plans.plan();
    output.json({ world, layer, name: flags.name, cells, untilMs, plan: plan?.version ?? 0 });
    if (flags.forMs === 0) output.print(`${world}: ${flags.name} keeps nothing awake any more`);
    else
      output.print(
        plan === undefined
          ? `${world}: ${count(cells, 'cell')} ordered awake; there is no plan, so none of them sleeps`
          : `${world}: ${count(cells, 'cell')} stay awake until ${timeOf(untilMs)}`,
      );
    return 0;
  });
}

function cellsOf(area: Area, grid: Grid): Iterable<number> {
  if (area.kind === 'world') return [...Array(grid.cells).keys()];
  if (area.kind !== 'around') return new AreaShape(grid, area).cells;
  throw new LeaseholdError('AREA_INVALID', '--area cannot be around an entity here', {
    field: '--area',
    value: `around:${area.entity},${area.radius}`,
    remedy: 'Where an entity is, no cell sleeps. Give box:…, circle:…, polygon:… or world.',
  });
}

function runsOf(cells: Iterable<number>): Interest['runs'] {
  const runs: [number, number, number][] = [];
  for (const cell of [...cells].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === cell) last[1]++;
    else runs.push([cell, 1, 0]);
  }
  return runs;
}
