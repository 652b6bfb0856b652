/** What baselines have in common: rectangles and pods made into a plan. */
import type { Plan, Rect, Region } from '@leasehold/protocol';
import { differenceOf } from './draft.ts';
import { edgesOf } from './edges.ts';
import type { PlanInput, Planned } from './policy.ts';
import { isSameRect } from './rects.ts';

/** A region keeps its id while its rectangle is the same. Standbys are the first neighbours. */
export function plannedOf(
  input: PlanInput,
  parts: readonly { readonly rect: Rect; readonly pod: string }[],
  cause: string,
): Planned {
  const { previous } = input;
  const known = new Map(previous?.regions.map((region) => [keyOf(region.rect), region]));
  let id = (previous?.regions ?? []).reduce((max, region) => Math.max(max, region.id), 0);
  const held = parts.map(({ rect, pod }) => ({
    id: known.get(keyOf(rect))?.id ?? ++id,
    rect,
    pod,
  }));
  if (previous !== undefined && isSamePlan(previous.regions, held)) {
    return { plan: previous, decisions: [] };
  }
  const edges = edgesOf(input.grid, held);
  const regions: Region[] = held.map((region, index) => {
    const beside = edges[index]!.find(({ pod }) => pod !== region.pod);
    return { ...region, standby: beside?.pod ?? '', edges: edges[index]! };
  });
  const { cells, regions: changed } = differenceOf(previous?.regions ?? [], regions);
  const plan: Plan = {
    version: (previous?.version ?? 0) + 1,
    atMs: Math.max(0, Math.floor(input.nowMs)),
    regions,
    asleep: previous?.asleep ?? [],
  };
  const kind = previous === undefined ? 'split' : 'move';
  return { plan, decisions: [{ kind, cause, regions: changed, cells, before: {}, expected: {} }] };
}

const keyOf = ({ column, row, columns, rows }: Rect): string =>
  `${column} ${row} ${columns} ${rows}`;

function isSamePlan(
  before: readonly Region[],
  after: readonly { readonly id: number; readonly rect: Rect; readonly pod: string }[],
): boolean {
  return (
    before.length === after.length &&
    before.every(({ id, rect, pod }, index) => {
      const other = after[index]!;
      return id === other.id && pod === other.pod && isSameRect(rect, other.rect);
    })
  );
}
