/**
 * What is done for a cell that is beyond a pod, one step after the other, each given time to work:
 *
 *   none ⇄ alone ⇄ slow-views ⇄ dilated ⇄ overloaded
 *
 * Up when the cell still costs more than the step can bear, back when it costs clearly less; what
 * lies between changes nothing, so that it does not flap.
 *
 * What is looked at is what a tick of the cell costs when it is run. No step lowers that by itself,
 * dilating least of all: it lowers how often the cost is paid. So each step has its own limit, and
 * is not taken back because it works, but because the cell has become cheaper.
 */
import type { Relief } from '@leasehold/protocol';
import { type Draft, type DraftRegion, UNRELIEVED } from './draft.ts';
import { edgesOf } from './edges.ts';
import { cutOf } from './rects.ts';

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
  const { cell, ms: cellMs } = draft.weights.heaviest(region.rect);
  const hotMs = budgetMs * (1 - draft.weights.settings.spare);
  if (region.relief === undefined && cellMs < hotMs) return;
  // Also later: it may have come to a pod that had something else.
  if (!isAlone(draft, region, cellMs, budgetMs)) isolate(draft, region, cell, cellMs, budgetMs);
  const now = draft.regions.find(({ id }) => id === region.id)!;
  if (now.relief !== undefined) {
    if (isDue) adjust(draft, now, { cell, cellMs, budgetMs, hotMs });
  } else if (isAlone(draft, now, cellMs, budgetMs)) {
    const why = `Cell ${cell} costs ${ms(cellMs)}, more than the ${ms(hotMs)} that a pod is to carry`;
    set(draft, now, 'alone', 1, `${why}, and has pod ${now.pod} to itself: alone`);
  }
}

type Cost = {
  readonly cell: number;
  readonly cellMs: number;
  readonly budgetMs: number;
  /** What is to be carried of it, so that some is spare. */
  readonly hotMs: number;
};

/** One step up or back, or another dilation. */
function adjust(draft: Draft, region: DraftRegion, cost: Cost): void {
  const { cell, cellMs, budgetMs, hotMs } = cost;
  const dilationMax = Math.floor(draft.weights.settings.dilationMax);
  const most = budgetMs * Math.max(1, dilationMax);
  const needed = Math.max(2, Math.min(dilationMax, Math.ceil(cellMs / hotMs)));
  const up = (relief: Relief, dilation: number, why: string): void =>
    set(draft, region, relief, dilation, `Cell ${cell} still costs ${ms(cellMs)}${why}`);
  const back = (relief: Relief | undefined, dilation: number): void => {
    const carried = `Cell ${cell} costs ${ms(cellMs)} of ${ms(budgetMs)} by now`;
    const rate = dilation === region.dilation ? '' : `: ${rateOf(dilation)}`;
    set(draft, region, relief, dilation, carried + rate);
  };
  if (region.relief === 'alone') {
    if (cellMs > budgetMs) up('slow-views', 1, `, beyond ${ms(budgetMs)} of its pod: slow-views`);
    else if (cellMs < hotMs * BACK) back(undefined, 1);
  } else if (region.relief === 'slow-views') {
    const why = ` with fewer views, beyond ${ms(budgetMs)}`;
    if (cellMs > budgetMs && dilationMax < 2) up('overloaded', 1, `${why}: OVERLOADED`);
    else if (cellMs > budgetMs) up('dilated', needed, `${why}: ${rateOf(needed)}`);
    else if (cellMs < budgetMs * BACK) back('alone', 1);
  } else if (region.relief === 'dilated') {
    const { dilation } = region;
    if (cellMs > most) {
      up('overloaded', dilationMax, `, beyond ${ms(most)} of ${dilationMax} ticks: OVERLOADED`);
    } else if (cellMs < budgetMs * BACK) back('slow-views', 1);
    // More when even what was to be spare does not suffice, less when a tick less would do clearly.
    else if (cellMs > budgetMs * dilation) back('dilated', needed);
    else if (needed < dilation && cellMs < hotMs * (dilation - 1) * BACK) back('dilated', needed);
  } else if (cellMs < most * BACK) {
    if (dilationMax < 2) back('slow-views', 1);
    else back('dilated', needed);
  }
}

const rateOf = (dilation: number): string =>
  dilation === 1 ? 'its time runs as ever' : `its time runs at 1/${dilation}`;

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;

function set(
  draft: Draft,
  region: DraftRegion,
  relief: Relief | undefined,
  dilation: number,
  why: string,
): void {
  draft.decide(
    'relief',
    () => draft.regions.map((one) => (one.id === region.id ? { ...one, relief, dilation } : one)),
    () => `${why}.`,
    [region.id],
  );
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
    const id = draft.nextId();
    const off = { id, rect: heaviest.off, pod: heir, standby: '', ...UNRELIEVED };
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
