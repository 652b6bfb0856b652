/**
 * What is done for a cell that is beyond a pod, one step after the other, each given time to work:
 *
 *   none ⇄ alone ⇄ slow-views ⇄ dilated ⇄ overloaded
 *
 * Up when the cell still costs more than the step can bear, back when it costs clearly less; what
 * lies between changes nothing, so that it does not flap.
 */
import type { Relief } from '@leasehold/protocol';
import type { Draft, DraftRegion } from './draft.ts';
import { edgesOf } from './edges.ts';
import { cutOf } from './rects.ts';
import type { Weights } from './weights.ts';

/** What else a pod may have beside its hot cell, as a part of its budget. */
const BESIDE = 0.05;
/** A step is taken back below this part of what led to it. */
const BACK = 0.8;

/** `isDue`: the last step has had its time. Isolating does not wait: it is what helps. */
export function relieve(draft: Draft, isDue: boolean): void {
  for (const { id } of draft.regions.slice()) {
    const region = draft.regions.find((one) => one.id === id);
    const carrier = region && draft.carriers.get(region.pod);
    if (region === undefined || carrier === undefined) continue;
    const { tickBudgetMs } = draft.weights.settings;
    step(draft, region, carrier.capacity * tickBudgetMs, isDue);
  }
}

function step(draft: Draft, region: DraftRegion, budgetMs: number, isDue: boolean): void {
  const { weights } = draft;
  const { spare, dilationMax } = weights.settings;
  const [cell, cellMs] = heaviestCell(weights, region);
  const hotMs = budgetMs * (1 - spare);
  const up = (relief: Relief, why: string): void => set(draft, region, relief, `${why}: ${relief}`);
  const back = (relief: Relief | undefined): void =>
    set(draft, region, relief, `Cell ${cell} costs ${ms(cellMs)} of ${ms(budgetMs)} by now`);
  if (region.relief === undefined) {
    if (cellMs < hotMs) return;
    if (!isAlone(draft, region, cellMs, budgetMs)) isolate(draft, region, cell, cellMs, budgetMs);
    const now = draft.regions.find(({ id }) => id === region.id)!;
    if (!isAlone(draft, now, cellMs, budgetMs)) return;
    const why = `Cell ${cell} costs ${ms(cellMs)}, more than the ${ms(hotMs)} that a pod is to carry`;
    set(draft, now, 'alone', `${why}, and has pod ${now.pod} to itself`);
    return;
  }
  if (!isDue) return;
  const why = `Cell ${cell} still costs ${ms(cellMs)}`;
  if (region.relief === 'alone') {
    if (cellMs > budgetMs) up('slow-views', `${why}, beyond ${ms(budgetMs)} of its pod`);
    else if (cellMs < hotMs * BACK) back(undefined);
  } else if (region.relief === 'slow-views') {
    if (cellMs > budgetMs) up('dilated', `${why} with fewer views, beyond ${ms(budgetMs)}`);
    else if (cellMs < budgetMs * BACK) back('alone');
  } else if (region.relief === 'dilated') {
    const most = budgetMs * dilationMax;
    if (cellMs > most) up('overloaded', `${why}, beyond ${ms(most)} of a dilated tick`);
    else if (cellMs < budgetMs * BACK) back('slow-views');
  } else if (cellMs < budgetMs * dilationMax * BACK) back('dilated');
}

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;

function set(draft: Draft, region: DraftRegion, relief: Relief | undefined, why: string): void {
  draft.decide(
    'relief',
    () => draft.regions.map((one) => (one.id === region.id ? { ...one, relief } : one)),
    () => `${why}.`,
    [region.id],
  );
}

function heaviestCell(weights: Weights, { rect }: DraftRegion): [cell: number, tickMs: number] {
  let heaviest = -1;
  let most = -1;
  for (let row = rect.row; row < rect.row + rect.rows; row++) {
    for (let column = rect.column; column < rect.column + rect.columns; column++) {
      const cell = row * weights.grid.columns + column;
      if (weights.byCell[cell]! > most) [heaviest, most] = [cell, weights.byCell[cell]!];
    }
  }
  return [heaviest, most];
}

function isAlone(draft: Draft, region: DraftRegion, cellMs: number, budgetMs: number): boolean {
  return draft.scores().get(region.pod)! - cellMs <= BESIDE * budgetMs;
}

/**
 * The cell stays where it is, and what lies around it goes to the pods beside: the heaviest side
 * first, until what is left is no longer worth a handover.
 */
function isolate(
  draft: Draft,
  region: DraftRegion,
  cell: number,
  cellMs: number,
  budgetMs: number,
): void {
  const place = {
    column: cell % draft.weights.grid.columns,
    row: Math.floor(cell / draft.weights.grid.columns),
  };
  for (const other of draft.regionsOf(region.pod)) {
    if (other.id !== region.id) pass(draft, other, region.id, cell);
  }
  for (let sides = 0; sides < 4; sides++) {
    const now = draft.regions.find(({ id }) => id === region.id)!;
    if (isAlone(draft, now, cellMs, budgetMs)) return;
    const cuts = (['column', 'row'] as const).flatMap((axis) => {
      const end = now.rect[axis] + (axis === 'column' ? now.rect.columns : now.rect.rows);
      const low = place[axis] > now.rect[axis] ? cutOf(now.rect, axis, place[axis]) : undefined;
      const high = place[axis] + 1 < end ? cutOf(now.rect, axis, place[axis] + 1) : undefined;
      return [
        ...(low === undefined ? [] : [{ off: low[0], kept: low[1] }]),
        ...(high === undefined ? [] : [{ off: high[1], kept: high[0] }]),
      ];
    });
    cuts.sort((a, b) => draft.weights.of(b.off) - draft.weights.of(a.off));
    const heaviest = cuts[0];
    if (heaviest === undefined) return;
    const heir = heirOf(draft, now);
    if (heir === undefined) return;
    const off = { ...now, id: draft.nextId(), rect: heaviest.off, pod: heir, standby: '' };
    draft.decide(
      'split',
      () => [
        ...draft.regions.filter(({ id }) => id !== region.id),
        { ...now, rect: heaviest.kept },
        off,
      ],
      (cells) =>
        `Cell ${cell} is to have a pod of its own: ${cells} cells beside it go to ${heir}.`,
    );
  }
}

function pass(draft: Draft, other: DraftRegion, beside: number, cell: number): void {
  const heir = heirOf(draft, other);
  if (heir === undefined) return;
  draft.decide(
    'move',
    () => draft.regions.map((one) => (one.id === other.id ? { ...one, pod: heir } : one)),
    () =>
      `Cell ${cell} of region ${beside} is to have a pod of its own: region ${other.id} goes to ${heir}.`,
  );
}

/** Of the pods beside, else of all: the one with least, if it has no hot cell of its own. */
function heirOf(draft: Draft, region: DraftRegion): string | undefined {
  const hot = new Set(draft.regions.filter(({ relief }) => relief).map(({ pod }) => pod));
  const able = new Map(
    draft.takers
      .filter(({ pod }) => pod !== region.pod && !hot.has(pod))
      .map(({ pod, capacity }) => [pod, capacity]),
  );
  const index = draft.regions.findIndex(({ id }) => id === region.id);
  const edges = edgesOf(draft.weights.grid, draft.regions)[index]!;
  const beside = [...new Set(edges.map(({ pod }) => pod))].filter((pod) => able.has(pod));
  const scores = draft.scores();
  const ratioOf = (pod: string): number => scores.get(pod)! / able.get(pod)!;
  const choice = beside.length > 0 ? beside : [...able.keys()];
  return choice.sort((a, b) => ratioOf(a) - ratioOf(b) || (a < b ? -1 : 1))[0];
}
