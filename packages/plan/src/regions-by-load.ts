/**
 * The policy of the product: one region for each pod, cut and moved by measured load, as little as
 * possible at a time. Its steps, in order: regions of pods that leave, pods that come, balance,
 * relief, standbys. Each looks only at the draft as the step before left it.
 */
import type { Decision, Plan, Region } from '@leasehold/protocol';
import { balance } from './balance.ts';
import { matched } from './candidates.ts';
import { Draft, UNRELIEVED } from './draft.ts';
import { edgesOf } from './edges.ts';
import { mergeKin, welcome } from './hands.ts';
import { giveOrphans } from './orphans.ts';
import type { PlanInput, Planned, Policy } from './policy.ts';
import { rectName, wholeOf } from './rects.ts';
import { recut } from './recut.ts';
import { relieve } from './relief.ts';
import { chooseStandbys } from './standbys.ts';
import { validatePlan } from './validate.ts';

export const regionsByLoad: Policy = { name: 'by-load', plan };

/** A plan in more pieces than this for each pod is not of this policy, and is cut anew. */
const PIECES_MAX = 8;

function plan(input: PlanInput): Planned {
  const fault = input.previous && validatePlan(input.previous, input.grid)[0];
  const previous = fault === undefined ? input.previous : undefined;
  const draft = new Draft(input, previous);
  const pieces = draft.regions.length;
  if (fault !== undefined) {
    const { region, value, message } = fault;
    start(draft, `The plan before is not of this grid (region ${region}, ${value}: ${message})`);
  } else if (previous === undefined) start(draft, 'There is no plan yet');
  else if (pieces > PIECES_MAX * (draft.carriers.size + 1)) {
    start(draft, `The plan before has ${pieces} regions, as another policy made it`);
  }
  const draining = input.pods.filter(({ state }) => state === 'draining').map(({ pod }) => pod);
  giveOrphans(draft, new Set(draining));
  mergeKin(draft);
  welcome(draft);
  const sinceMs = sinceShapedMs(input);
  const { settleMs, reliefMs } = draft.weights.settings;
  if (draft.decisions.length === 0 && sinceMs >= settleMs) balance(draft);
  relieve(draft, sinceMs >= reliefMs);
  chooseStandbys(draft);
  return finish(input, previous, draft);
}

/** For how long loads have been measured. A clock that was set back is no reason to wait. */
function sinceShapedMs({ previous, shapedAtMs, nowMs }: PlanInput): number {
  const sinceMs = nowMs - (shapedAtMs ?? previous?.atMs ?? -Infinity);
  return sinceMs < 0 ? Infinity : sinceMs;
}

/** All from nothing, but for pods keeping what they can of what they had. */
function start(draft: Draft, why: string): void {
  const { shares, carriers } = draft;
  const whole = wholeOf(shares.grid);
  const before = draft.regions;
  const pods = draft.takers;
  const capacities = pods.length === 0 ? [1] : pods.map(({ capacity }) => capacity);
  const rects = recut(whole, capacities, shares);
  const parts = rects.map((rect, slot) => ({ rect, capacity: capacities[slot]! }));
  const held = before.filter(({ pod }) => pods.some((taker) => taker.pod === pod));
  const kept = new Map(matched(shares, held, parts, carriers).map(({ rect, pod }) => [rect, pod]));
  const rest = pods.filter(({ pod }) => ![...kept.values()].includes(pod));
  draft.decide(
    'split',
    () =>
      parts.map(({ rect, capacity }) => {
        const next = rest.findIndex((other) => other.capacity === capacity);
        const pod = kept.get(rect) ?? rest.splice(Math.max(0, next), 1)[0]?.pod ?? '';
        return { id: draft.nextId(), rect, pod, standby: '', ...UNRELIEVED };
      }),
    () => `${why}: ${rectName(whole)} are cut for ${pods.length} pods by load.`,
  );
}

function finish(input: PlanInput, previous: Plan | undefined, draft: Draft): Planned {
  const edges = edgesOf(input.grid, draft.regions);
  const regions: Region[] = draft.regions.map((region, index) => {
    const { id, rect, pod, standby, relief, dilation } = region;
    return {
      ...{ id, rect, pod, standby, edges: edges[index]! },
      ...(relief === undefined ? {} : { relief }),
      ...(dilation === 1 ? {} : { dilation }),
    };
  });
  const asleep = previous?.asleep ?? [];
  const decisions = [...draft.decisions, ...standbyDecisions(previous, regions)];
  if (previous !== undefined && decisions.length === 0) return { plan: previous, decisions };
  const version = (input.previous?.version ?? 0) + 1;
  return {
    plan: { version, atMs: Math.max(0, Math.floor(input.nowMs)), regions, asleep },
    decisions,
  };
}

/** Those that change although their region does not; the others go without saying. */
function standbyDecisions(previous: Plan | undefined, regions: readonly Region[]): Decision[] {
  const before = new Map(previous?.regions.map((region) => [region.id, region.standby]));
  const changed = regions.filter(({ id, standby }) => before.has(id) && before.get(id) !== standby);
  if (changed.length === 0) return [];
  const pairs = changed.map(({ id, standby }) => `${id} by ${standby === '' ? 'nobody' : standby}`);
  const cause = `Regions are followed by other pods, as those before left or are no neighbours: ${pairs.join(', ')}.`;
  const ids = changed.map(({ id }) => id);
  return [{ kind: 'standby', cause, regions: ids, cells: 0, before: {}, expected: {} }];
}
