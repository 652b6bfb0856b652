/** Questions about the entities of a snapshot, without bringing it back to life. */
import type { ComponentValues } from '@leasehold/protocol';
import { AreaShape, type AreaSpec } from '@leasehold/spatial';
import type { SpaceFacts } from './captured.ts';
import { type Database, rowsOf } from './database.ts';
import { gridOf } from './facts.ts';
import { openSnapshot } from './reader.ts';

export type SnapshotEntity = {
  readonly id: number;
  /** The one that has it; of one in flight, the one that it left. */
  readonly cell: number;
  readonly x: number | null;
  readonly y: number | null;
  readonly prefab: string | null;
  readonly components: ComponentValues;
  readonly inFlight: boolean;
};

export type EntitiesQuery = {
  readonly area?: AreaSpec;
  readonly ids?: readonly number[];
  /** The last id of the page before. */
  readonly after?: number;
  readonly limit?: number;
};

/** One answer; more are asked for page by page. */
export const ENTITIES_PER_PAGE_MAX = 10_000;
const ENTITIES_PER_PAGE = 1_000;
export const NEAREST_MAX = 1_000;

type EntityRow = {
  id: string;
  cell: number;
  x: number | null;
  y: number | null;
  prefab: string | null;
  components: ComponentValues;
  in_flight: boolean;
};

/** Who left may stand beyond the cells that an area touches. */
const ENTITIES = `
select id, cell, st_x(geometry) as x, st_y(geometry) as y, prefab, components, in_flight
  from history.entities
 where snapshot = $1 and id > $2
   and ($3::bigint[] is null or id = any($3))
   and ($4::int[] is null or cell = any($4) or in_flight)
 order by id
 limit $5`;

/** Ascending by id, at most `limit`. Errors: `AREA_INVALID`, and those of `openSnapshot`. */
export async function readEntities(
  db: Database,
  id: string,
  { area, ids, after = -1, limit = ENTITIES_PER_PAGE }: EntitiesQuery,
): Promise<SnapshotEntity[]> {
  const { facts } = await openSnapshot(db, id);
  const shape = area === undefined ? undefined : new AreaShape(gridOf(facts), area);
  const count = Math.max(1, Math.min(limit, ENTITIES_PER_PAGE_MAX));
  const found: SnapshotEntity[] = [];
  let last = after;
  for (;;) {
    const rows = await rowsOf<EntityRow>(db, ENTITIES, [
      ...[id, last, ids ?? null, shape === undefined ? null : Array.from(shape.cells), count],
    ]);
    for (const entity of rows.map(entityOf)) {
      last = entity.id;
      if (shape?.contains(entity.x ?? Number.NaN, entity.y ?? Number.NaN) === false) continue;
      found.push(entity);
      if (found.length === count) return found;
    }
    if (rows.length < count) return found;
  }
}

function entityOf({ id, in_flight: inFlight, ...row }: EntityRow): SnapshotEntity {
  return { ...row, id: Number(id), inFlight };
}

export type NearQuery = { readonly x: number; readonly y: number; readonly limit?: number };
export type NearEntity = SnapshotEntity & {
  /** In the world's units; on the globe in metres. */
  readonly distance: number;
};

/** The index gives neighbours on a plane in their order. */
const NEAR_PLANE = `
select id, cell, st_x(geometry) as x, st_y(geometry) as y, prefab, components, in_flight,
       geometry <-> st_point($2, $3) as distance
  from history.entities
 where snapshot = $1
 order by geometry <-> st_point($2, $3)
 limit $4`;

/** Around a seam no index knows the order, so all entities of the snapshot are measured. */
const NEAR_TORUS = `
select id, cell, st_x(geometry) as x, st_y(geometry) as y, prefab, components, in_flight, distance
  from history.entities
 cross join lateral (
   select abs(st_x(geometry) - $2::float8) as dx, abs(st_y(geometry) - $3::float8) as dy) d
 cross join lateral (
   select sqrt(least(dx, $5::float8 - dx) ^ 2 + least(dy, $6::float8 - dy) ^ 2) as distance) m
 where snapshot = $1 and geometry is not null
 order by distance, id
 limit $4`;

const NEAR_GLOBE = `
select id, cell, st_x(geometry) as x, st_y(geometry) as y, prefab, components, in_flight,
       st_distancesphere(geometry, st_setsrid(st_point($2, $3), 4326)) as distance
  from history.entities
 where snapshot = $1 and geometry is not null
 order by distance, id
 limit $4`;

/** Nearest first. Errors: those of `openSnapshot`. */
export async function nearEntities(
  db: Database,
  id: string,
  { x, y, limit = 10 }: NearQuery,
): Promise<NearEntity[]> {
  const { facts } = await openSnapshot(db, id);
  const count = Math.max(1, Math.min(limit, NEAREST_MAX));
  const values: unknown[] = [id, x, y, count];
  if (facts.space.kind === 'torus') values.push(facts.space.width, facts.space.height);
  const rows = await rowsOf<EntityRow & { distance: number }>(db, NEAR[facts.space.kind], values);
  return rows.map(({ distance, ...row }) => ({ ...entityOf(row), distance }));
}

const NEAR: Readonly<Record<SpaceFacts['kind'], string>> = {
  plane: NEAR_PLANE,
  torus: NEAR_TORUS,
  wgs84: NEAR_GLOBE,
};

/** How many entities there are of each prefab, '' for none, and of each component. */
export type SnapshotCounts = {
  readonly prefabs: Readonly<Record<string, number>>;
  readonly components: Readonly<Record<string, number>>;
};

const COUNTS = `
with found as materialized (
  select prefab, components from history.entities where snapshot = $1)
select 'prefab' as kind, coalesce(prefab, '') as name, count(*)::int as count
  from found group by 2
 union all
select 'component', name, count(*)::int
  from found cross join lateral jsonb_object_keys(components) as name group by 2
 order by 1, 2`;

export async function countEntities(db: Database, id: string): Promise<SnapshotCounts> {
  await openSnapshot(db, id);
  type Row = { kind: string; name: string; count: number };
  const rows = await rowsOf<Row>(db, COUNTS, [id]);
  const of = (kind: string): Record<string, number> =>
    Object.fromEntries(rows.filter((row) => row.kind === kind).map((row) => [row.name, row.count]));
  return { prefabs: of('prefab'), components: of('component') };
}
