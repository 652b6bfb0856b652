/** `leasehold plan show`: the plan in force, as a picture and as a list of its regions. */
import { gatherInterests } from '@leasehold/plan';
import type { CellLoad, Plan, Rect } from '@leasehold/protocol';
import { type OpenWorld, type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count, plain, textTable } from '../text-table.ts';
import { drawingOf, lettersOf, paintsOf } from './drawing.ts';
import { placeOf, reliefText, timeOf } from './words.ts';

/** A longer list is read by programs only. */
const REGIONS_SHOWN_MAX = 200;
const INDENT = 2;

export function show(flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { world, layer, incarnation, grid, plans } = open;
    const plan = await plans.plan();
    const { columns, rows, wrapsX, wrapsY } = grid;
    const size = { columns, rows, wrapsX, wrapsY };
    if (plan === undefined) {
      output.json({ world, layer, incarnation, grid: size, plan: null });
      output.print(NO_PLAN);
      return 0;
    }
    const loads = loadsByCell(await plans.loads());
    const { viewers } = gatherInterests((await plans.interests()).values(), grid.cells);
    const regions = plan.regions.map((region) => ({
      ...region,
      ...loadOf(region.rect, grid.columns, loads),
      viewers: mostIn(region.rect, grid.columns, viewers),
    }));
    output.json({ world, layer, incarnation, grid: size, plan: { ...plan, regions } });
    output.print(lines(open, plan, regions, output).join('\n'));
    return 0;
  });
}

export const NO_PLAN =
  'no plan: the pods share the cells by themselves; leasehold run --authorities 1 starts one who plans';

type LoadedRegion = Plan['regions'][number] & {
  readonly tickMs: number;
  readonly entities: number;
  /** Of its most watched cell: a viewer looks at many cells at once. */
  readonly viewers: number;
};

/** The larger where two pods say something of a cell, which happens around a handover. */
export function loadsByCell(
  reports: ReadonlyMap<string, readonly CellLoad[]>,
): Map<number, CellLoad> {
  const loads = new Map<number, CellLoad>();
  for (const load of [...reports.values()].flat()) {
    if (load.tickMs > (loads.get(load.cell)?.tickMs ?? -1)) loads.set(load.cell, load);
  }
  return loads;
}

/** What the cells of a rectangle cost together. */
export function loadOf(rect: Rect, columns: number, loads: ReadonlyMap<number, CellLoad>) {
  const sum = { tickMs: 0, entities: 0 };
  for (let row = rect.row; row < rect.row + rect.rows; row++) {
    for (let column = rect.column; column < rect.column + rect.columns; column++) {
      const load = loads.get(row * columns + column);
      sum.tickMs += load?.tickMs ?? 0;
      sum.entities += load?.entities ?? 0;
    }
  }
  return sum;
}

function mostIn(rect: Rect, columns: number, of: Uint32Array): number {
  let most = 0;
  for (let row = rect.row; row < rect.row + rect.rows; row++) {
    const first = row * columns + rect.column;
    for (const value of of.subarray(first, first + rect.columns)) most = Math.max(most, value);
  }
  return most;
}

function lines(
  { world, layer, layers, grid }: OpenWorld,
  plan: Plan,
  regions: readonly LoadedRegion[],
  output: Output,
): string[] {
  const { colors, columns } = output;
  const { bold, dim } = colors;
  const letters = lettersOf(plan);
  const paintOf = paintsOf(letters, colors);
  const { lines: picture, step } = drawingOf(plan, grid, columns - INDENT, colors);
  const asleep = plan.asleep.reduce((sum, [, cells]) => sum + cells, 0);
  const legend = [...letters].map(([pod, letter]) => `${paintOf(letter)(letter)} ${plain(pod)}`);
  if (asleep > 0) legend.push(`· asleep (${count(asleep, 'cell')})`);
  if (regions.some(({ pod }) => pod === '')) legend.push('- nobody');
  if (step > 1) legend.push(`a letter is ${step} × ${step} cells`);
  const shown = regions
    .slice(0, REGIONS_SHOWN_MAX)
    .map((region) => [
      String(region.id),
      region.pod === '' ? '-' : `${letters.get(region.pod)} ${plain(region.pod)}`,
      region.standby === '' ? '-' : plain(region.standby),
      placeOf(region.rect),
      region.tickMs.toFixed(2),
      String(region.entities),
      String(region.viewers),
      reliefText(region),
    ]);
  const title = [
    'region',
    'pod',
    'standby',
    'cells at column, row',
    'tick ms',
    'entities',
    'viewers',
    '',
  ];
  const [head = '', ...rest] = textTable([title, ...shown], new Set([1, 2, 3, 7]), INDENT);
  const more = regions.length - shown.length;
  return [
    `${bold(world)}  ${layers.length > 1 ? `layer ${layer}, ` : ''}plan ${plan.version} of ${timeOf(plan.atMs)}: ` +
      `${count(regions.length, 'region')}, ${count(letters.size, 'pod')}`,
    ...picture.map((line) => ' '.repeat(INDENT) + line),
    `  ${legend.join(dim(', '))}`,
    dim(head),
    ...rest,
    ...(more > 0 ? [dim(`  and ${more} more: --json has them all`)] : []),
  ];
}
