/** The part that tells the plan, with the loads of its regions; of a huge plan what fits. */
import { ByteWriter, varintLength } from '../bytes.ts';
import { wholePart } from './encode-parts.ts';
import type { PlanRegion, PlanView } from './messages.ts';
import { PART } from './parts.ts';
import { RELIEFS, SIDES, US_PER_MS } from './plan-part.ts';

/**
 * PERF: it is sent whole whenever loads change, and next to it in a client's queue there is all
 * else that one who joins is told. 600 regions with their edges, or 2,000 without.
 */
export const PLAN_PART_BYTES_MAX = 32 * 1024;
/** Of it, for runs of cells that sleep. */
const ASLEEP_BYTES_MAX = 8 * 1024;
/** Of it, for what comes before the regions, the names of pods left aside. */
const HEAD_BYTES_MAX = 64;
/** More pods than these are nobody. */
const PODS_BYTES_MAX = 8 * 1024;

const writer = new ByteWriter();
const some = new ByteWriter();

/** Regions must lie within the grid; a load that is no number is sent as 0. */
export function encodePlanPart(plan: PlanView): Uint8Array {
  const numbers = podNumbers(plan.regions);
  const asleep = asleepBytes(plan.asleep);
  const names = [...numbers.keys()];
  writer.reset().varint(plan.version).f64(plan.atMs).varint(names.length);
  for (const name of names) writer.text(name);
  const room = PLAN_PART_BYTES_MAX - HEAD_BYTES_MAX - writer.length - asleep.bytes.length;
  const whole = regionBytes(plan.regions, numbers, { room, withEdges: true });
  const { count, bytes } =
    whole.count === plan.regions.length
      ? whole
      : regionBytes(plan.regions, numbers, { room, withEdges: false });
  writer.varint(plan.regionCount).varint(count).raw(bytes);
  writer.varint(asleep.count).raw(asleep.bytes);
  return wholePart(PART.plan, writer);
}

type Some = { readonly count: number; readonly bytes: Uint8Array };

/** By name, from 1 on. */
function podNumbers(regions: readonly PlanRegion[]): Map<string, number> {
  const numbers = new Map<string, number>();
  let bytes = 0;
  const add = (pod: string): void => {
    if (pod === '' || numbers.has(pod)) return;
    bytes += some.reset().text(pod).length;
    if (bytes <= PODS_BYTES_MAX) numbers.set(pod, numbers.size + 1);
  };
  for (const { pod } of regions) add(pod);
  for (const { standby } of regions) add(standby);
  return numbers;
}

function regionBytes(
  regions: readonly PlanRegion[],
  numbers: ReadonlyMap<string, number>,
  { room, withEdges }: { readonly room: number; readonly withEdges: boolean },
): Some {
  some.reset();
  const numberOf = (pod: string): number => numbers.get(pod) ?? 0;
  for (const [count, region] of regions.entries()) {
    const { id, rect, pod, standby, relief, dilation = 0, tickMs, entities, edges } = region;
    const start = some.length;
    some.varint(id).varint(rect.column).varint(rect.row).varint(rect.columns).varint(rect.rows);
    some.varint(numberOf(pod)).varint(numberOf(standby));
    some.u8(relief === undefined ? 0 : RELIEFS.indexOf(relief) + 1).varint(dilation);
    some.varint(wholeNumber(tickMs * US_PER_MS)).varint(wholeNumber(entities));
    some.varint(withEdges ? edges.length : 0);
    for (const edge of withEdges ? edges : []) {
      some.u8(SIDES.indexOf(edge.side)).varint(edge.region).varint(numberOf(edge.pod));
      some.varint(edge.cells);
    }
    if (some.length <= room) continue;
    some.truncate(start);
    return { count, bytes: some.finish() };
  }
  return { count: regions.length, bytes: some.finish() };
}

function asleepBytes(runs: PlanView['asleep']): Some {
  some.reset();
  let end = 0;
  for (const [count, [first, cells]] of runs.entries()) {
    const bytes = varintLength(first - end) + varintLength(cells);
    if (some.length + bytes > ASLEEP_BYTES_MAX) return { count, bytes: some.finish() };
    some.varint(first - end).varint(cells);
    end = first + cells;
  }
  return { count: runs.length, bytes: some.finish() };
}

const wholeNumber = (value: number): number =>
  Number.isFinite(value) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(value))) : 0;
