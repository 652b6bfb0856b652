/** How the part that tells the plan is read. */
import type { ByteReader } from '../bytes.ts';
import type { Edge, Region, Relief, Side } from '../plan.ts';
import type { PlanRegion, PlanView, ViewGrid } from './messages.ts';

/** By their number in a part; of reliefs 0 means that there is none. */
export const SIDES: readonly Side[] = ['west', 'east', 'north', 'south'];
export const RELIEFS: readonly Relief[] = ['alone', 'slow-views', 'dilated', 'overloaded'];
/** Loads travel in whole microseconds. */
export const US_PER_MS = 1_000;

/** Bytes at least: numbers of the region, none of them longer than one; of an edge; of a run. */
const REGION_BYTES_MIN = 12;
const EDGE_BYTES_MIN = 4;
const RUN_BYTES_MIN = 2;

type Extent = Pick<ViewGrid, 'columns' | 'rows'>;

/** Throws `BODY_MALFORMED`, also for what lies beyond a grid of this extent. */
export function readPlan(body: ByteReader, extent: Extent): PlanView {
  const version = body.varint();
  const atMs = body.f64();
  if (!Number.isFinite(atMs)) throw body.fault('its time is no number');
  const pods = [''];
  for (let left = body.count('pods'); left > 0; left--) pods.push(body.text());
  const pod = (): string => named(body, pods);
  const regionCount = body.varint();
  const count = body.count('regions', REGION_BYTES_MIN);
  if (count > regionCount) throw body.fault('it has more regions than it says');
  const regions: PlanRegion[] = [];
  while (regions.length < count) regions.push(readRegion(body, extent, pod));
  const asleep: [number, number][] = [];
  let end = 0;
  for (let left = body.count('runs', RUN_BYTES_MIN); left > 0; left--) {
    const first = end + body.varint();
    const cells = body.varint();
    end = first + cells;
    if (cells === 0 || end > extent.columns * extent.rows) {
      throw body.fault('cells that sleep are out of range');
    }
    asleep.push([first, cells]);
  }
  body.end();
  return { version, atMs, regionCount, regions, asleep };
}

function readRegion(body: ByteReader, { columns, rows }: Extent, pod: () => string): PlanRegion {
  const id = body.varint();
  const rect = {
    column: body.varint(),
    row: body.varint(),
    columns: body.varint(),
    rows: body.varint(),
  };
  const isInside = rect.column + rect.columns <= columns && rect.row + rect.rows <= rows;
  if (!isInside || rect.columns === 0 || rect.rows === 0) {
    throw body.fault('a region is out of range');
  }
  const region: Pick<Region, 'id' | 'rect' | 'pod' | 'standby'> = {
    id,
    rect,
    pod: pod(),
    standby: pod(),
  };
  const step = body.u8();
  const relief = RELIEFS[step - 1];
  if (step > RELIEFS.length) throw body.fault(`${step} is no relief`);
  const dilation = body.varint();
  const reliefs = {
    ...(relief === undefined ? {} : { relief }),
    ...(dilation < 2 ? {} : { dilation }),
  };
  const load = { tickMs: body.varint() / US_PER_MS, entities: body.varint() };
  const edges: Edge[] = [];
  for (let left = body.count('edges', EDGE_BYTES_MIN); left > 0; left--) {
    const side = SIDES[body.u8()];
    if (side === undefined) throw body.fault('an edge has no side');
    edges.push({ side, region: body.varint(), pod: pod(), cells: body.varint() });
  }
  return { ...region, ...reliefs, ...load, edges };
}

function named(body: ByteReader, names: readonly string[]): string {
  const name = names[body.varint()];
  if (name === undefined) throw body.fault('it names none of its pods');
  return name;
}
