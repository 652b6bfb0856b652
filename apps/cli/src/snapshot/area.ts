/** `leasehold snapshot restore --area`: a part of a running world becomes what it was. */
import { readFileSync } from 'node:fs';
import { LeaseholdError } from '@leasehold/kernel';
import { systemClock } from '@leasehold/service';
import { type AreaPlan, planArea, restoreArea } from '@leasehold/snapshots';
import type { AreaSpec, Grid } from '@leasehold/spatial';
import { withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { areaOf } from '../watch-options.ts';
import { expectSure } from './keep.ts';
import { withSnapshots } from './place.ts';
import { type RestoreFlags, takeNow } from './restore.ts';

/** Exit code 1 when some of it was refused, as it went or died meanwhile. */
export async function restorePart(
  { area: text, ...flags }: RestoreFlags & { readonly area: string },
  output: Output,
): Promise<number> {
  const area = readArea(text);
  return withSnapshots(flags, output, async (snapshots) => {
    const { world } = await snapshots.get(flags.id);
    return withWorld({ world, home: flags.home }, output, async (open) => {
      expectInside(open.grid, area);
      const now = await takeNow({ home: flags.home, world }, snapshots, output);
      let plan: AreaPlan;
      try {
        plan = await planArea(snapshots, { then: flags.id, now, area });
      } finally {
        await snapshots.remove(now);
      }
      const counts = {
        ...{ births: plan.births.length, deaths: plan.deaths.length },
        ...{ changes: plan.changes.length, same: plan.same, elsewhere: plan.elsewhere.length },
      };
      output.print(
        `${counts.births} would be born again, ${counts.deaths} would go, ${counts.changes} would ` +
          `change, ${counts.same} are as they were; ${counts.elsewhere} live elsewhere now and stay there`,
      );
      if (flags.isDryRun) {
        output.json({ id: flags.id, world, ...counts });
        return 0;
      }
      expectSure(flags.isSure, `a part of ${world} would be replaced by what it was`);
      const done = await restoreArea(
        {
          ...{ store: open.store, grid: open.grid, clock: systemClock },
          progress: ({ answered, total }) =>
            output.live([`  ${answered} of ${total} requests answered`]),
        },
        plan,
      );
      output.json({ id: flags.id, world, ...counts, refused: done.refused });
      const { born, died, changed, refused } = done;
      output.print(`${born} born, ${died} gone, ${changed} changed, ${refused.length} refused`);
      for (const why of new Set(refused)) output.print(`  refused: ${why}`);
      return refused.length > 0 ? 1 : 0;
    });
  });
}

/** A file with a polygon as GeoJSON, or an area as `leasehold watch` takes it. */
function readArea(text: string): AreaSpec {
  if (!/\.(geo)?json$/.test(text)) {
    const area = areaOf(text);
    if (area.kind === 'around') throw invalid(text, 'who it is around may have moved since');
    return area;
  }
  const polygon = polygonIn(parsed(text));
  const [outer, ...holes] = polygon ?? [];
  if (outer === undefined || holes.length > 0) {
    throw invalid(text, 'it has no polygon, or one with holes');
  }
  const points = outer.map((point) => [Number(point[0]), Number(point[1])] as const);
  const [first, last] = [points[0], points.at(-1)];
  // GeoJSON says the first point again at the end.
  const isClosed = first?.[0] === last?.[0] && first?.[1] === last?.[1];
  return { kind: 'polygon', points: isClosed ? points.slice(0, -1) : points };
}

type Rings = readonly (readonly (readonly unknown[])[])[];

function polygonIn(value: unknown): Rings | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, geometry, features, coordinates } = value as Record<string, unknown>;
  if (type === 'Feature') return polygonIn(geometry);
  if (type === 'FeatureCollection' && Array.isArray(features)) return polygonIn(features[0]);
  const isRings =
    Array.isArray(coordinates) &&
    coordinates.every((ring) => Array.isArray(ring) && ring.every(Array.isArray));
  return type === 'Polygon' && isRings ? (coordinates as Rings) : undefined;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error));
  }
}

/** A plane ends somewhere; others wrap. */
function expectInside(grid: Grid, area: AreaSpec): void {
  if (grid.spec.kind !== 'plane' || area.kind !== 'polygon') return;
  const { originX, originY, width, height } = grid;
  const isNear = area.points.some(
    ([x, y]) => x >= originX && x <= originX + width && y >= originY && y <= originY + height,
  );
  if (!isNear) throw invalid('polygon', 'none of its points is in the world');
}

function invalid(value: string, why: string): LeaseholdError {
  return new LeaseholdError('AREA_INVALID', `--area cannot be ${value}: ${why}`, {
    field: '--area',
    value,
    remedy: 'Give a GeoJSON file with one polygon, or an area such as box:0,0,50,50.',
  });
}
