/**
 * Goal: an area of a world that runs becomes what it was, all of it and nothing else, and the preview says
 * so before. Method: the commands as a user types them beside a run of real pods; what is in the area is
 * asked of PostGIS, which knows nothing of our polygons.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entityId } from '@leasehold/kernel';
import { openLiveStore } from '@leasehold/live-store';
import { systemClock } from '@leasehold/service';
import { restoreArea } from '@leasehold/snapshots';
import { Grid } from '@leasehold/spatial';
import { eventually, usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { User } from '../command-fixture.ts';
import { type Components, Meadow, standingAt } from './meadow-fixture.ts';

const at = useRedis();
const db = usePostgres();
let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url, DATABASE_URL: db.databaseUrl });
});
afterAll(() => user.close());

/** A C with a hole in it: its notch is outside, and each of its sides cuts cells. */
const RING = [
  ...[
    [3, 3],
    [27, 3],
    [27, 12],
    [12, 12],
    [12, 22],
    [27, 22],
    [27, 31],
    [3, 31],
  ],
  [3, 3],
];
/** Trees stand inside of it, and on its side at 22. */
const HOLE = [
  [13, 23],
  [13, 30.5],
  [22, 30.5],
  [22, 23],
  [13, 23],
];
const C = { type: 'Polygon', coordinates: [RING, HOLE] };

/** By PostGIS: who of a snapshot is in the C, or is not. */
async function rowsOf(snapshot: string, isInside: boolean): Promise<Map<number, Components>> {
  const { rows } = await db.pool.query(
    `select id, components from history.entities
      where snapshot = $1
        and st_covers(st_setsrid(st_geomfromgeojson($2), st_srid(geometry)), geometry) = $3`,
    [snapshot, JSON.stringify(C), isInside],
  );
  return new Map(rows.map(({ id, components }) => [Number(id), components]));
}

const snapshots = async (): Promise<string[]> => {
  const { rows } = await db.pool.query('select id from leasehold.snapshot order by id');
  return rows.map(({ id }) => id);
};

const without = <V>(all: ReadonlyMap<number, V>, ...ids: readonly number[]): Map<number, V> =>
  new Map([...all].filter(([id]) => !ids.includes(id)));

const [name, home] = ['forest', 'ways'];
const layers = 'layers:\n  ways: [position, mark]\n  wood: [tree]\n  light: [fruit]\n';

describe('an area of a world of three layers', () => {
  const before = `${name}-before`;
  let file = '';
  let meadow: Meadow;

  beforeAll(async () => {
    meadow = await Meadow.start(user, name, layers);
    file = join(user.home, `${name}.geojson`);
    const feature = { type: 'Feature', properties: {}, geometry: C };
    await writeFile(file, JSON.stringify({ type: 'FeatureCollection', features: [feature] }));
  });
  afterAll(() => meadow?.stop());

  const restore = (...flags: readonly string[]) =>
    meadow.said('snapshot', 'restore', before, '--area', file, ...flags);

  test('E2 S1 it becomes what it was, as the preview said, and all around stays as it is', async () => {
    await meadow.take(before);
    const all = await meadow.all();
    expect(all.size).toBe(100);
    const inside = await rowsOf(before, true);

    // Two of a cell that a side cuts: one in, one out.
    const [gone, beside] = [standingAt(all, 10, 14), standingAt(all, 14, 14)];
    const [changed, pushed] = [standingAt(all, 6, 6), standingAt(all, 6, 10)];
    const [left, strayed] = [standingAt(all, 22, 6), standingAt(all, 38, 38)];
    const [held, felled] = [standingAt(all, 14, 26), standingAt(all, 18, 30)];
    const rim = standingAt(all, 22, 26);
    const [come, planted] = await Promise.all([
      meadow.create('position={"x":26,"y":30}', 'tree'),
      meadow.create('position={"x":20,"y":28}', 'mark'),
      meadow.create('position={"x":20,"y":17}', 'mark'),
      meadow.patch(held, '--set', 'tree.name=held', '--set', 'tree.rings=7'),
      meadow.remove(felled),
      meadow.patch(rim, '--set', 'tree.name=rim'),
      meadow.remove(gone),
      meadow.remove(standingAt(all, 38, 2)),
      meadow.patch(beside, '--set', 'tree.name=kept', '--remove', 'fruit'),
      meadow.patch(
        changed,
        ...['--set', 'tree.rings=99', '--set', 'tree.notes=[1]', '--remove', 'mark'],
      ),
      meadow.patch(pushed, '--set', 'position.y=26'),
      meadow.patch(left, '--set', 'position.x=37.5'),
      meadow.patch(strayed, '--set', 'position={"x":5,"y":5}'),
    ]);
    // Whoever is pushed goes there on its own feet, cell by cell.
    const y = async (id: number) => (await meadow.all()).get(id)?.['position']?.['y'];
    await eventually(async () => (await y(strayed)) === 5);

    const now = await meadow.all();
    const kept = await snapshots();
    const preview = await restore('--dry-run');
    const counts = { births: 1, deaths: 2, changes: 3, elsewhere: 1, same: inside.size - 5 };
    expect(preview).toMatchObject({ code: 0, world: name, ...counts });
    expect(preview.entities).toMatchObject({ births: [gone], elsewhere: [left] });
    expect([...preview.entities.deaths].sort()).toEqual([strayed, come].sort());
    expect(preview.entities.changes).toEqual([
      { id: changed, set: expect.arrayContaining(['tree', 'mark']), remove: [] },
      { id: pushed, set: ['position'], remove: [] },
      { id: rim, set: ['tree'], remove: [] },
    ]);
    const unsure = await user.json(['snapshot', 'restore', before, '--area', file]);
    expect(unsure).toMatchObject({ code: 2, fault: { field: '--yes' } });
    expect(await meadow.all()).toEqual(now);
    expect(await snapshots()).toEqual(kept);

    const done = await restore('--yes');
    expect(done).toMatchObject({ code: 0, ...counts, born: 1, died: 2, changed: 3, refused: 0 });
    await eventually(async () => (await y(pushed)) === 10);
    const restored = await meadow.all();
    await meadow.take(`${name}-after`);
    const after = await rowsOf(`${name}-after`, true);
    const [born] = [...after.keys()].filter((id) => !inside.has(id));
    expect(without(after, born as number)).toEqual(without(inside, gone, left));
    expect(after.get(born as number)).toEqual(inside.get(gone));
    expect(all.has(born as number)).toBe(false);
    const outside = await rowsOf(`${name}-after`, false);
    expect(outside).toEqual(without(now, ...after.keys(), gone, strayed, come));
    expect(restored).toEqual(new Map([...after, ...outside]));
    // In the hole: who was changed, made and removed there.
    for (const id of [held, planted]) expect(outside.get(id)).toEqual(now.get(id) ?? 'nobody');
    expect(restored.has(felled)).toBe(false);
  });

  test('S1 once more changes nothing, also looked at by several at once', async () => {
    const now = await meadow.all();
    const nothing = { births: 0, deaths: 0, changes: 0 };
    // Each compares with a snapshot of its own, which nobody else takes or removes.
    const previews = await Promise.all(Array.from({ length: 3 }, () => restore('--dry-run')));
    for (const preview of previews) expect(preview).toMatchObject({ code: 0, ...nothing });
    expect(await restore('--yes')).toMatchObject({ code: 0, ...nothing, refused: 0 });
    expect(await meadow.all()).toEqual(now);
  });

  test('what a cell refuses is counted by entities, with its reasons, and nothing of it is done', async () => {
    const now = await meadow.all();
    const grid = new Grid({ kind: 'plane', width: 40, height: 40, cell: 10 }, { blockCells: 2 });
    const place = { url: at.url, world: name, incarnation: 1, layer: home, grid };
    const store = await openLiveStore(place);
    const lost = {
      ...{ id: 1, cell: 0, x: 1, y: 1, prefab: null, inFlight: false },
      components: { position: { x: 'far', y: 1 } },
    };
    const nobody = { id: entityId(15, 9_999, 1), cell: 15, set: { mark: {} }, remove: [] };
    const plan = { births: [lost, lost], deaths: [], changes: [nobody], same: 0, elsewhere: [] };
    const done = await restoreArea({ store, grid, clock: systemClock }, plan);
    await store.close();
    expect(done).toEqual({
      ...{ born: 0, died: 0, changed: 0, refused: 3 },
      reasons: ['the entity is nowhere', expect.stringContaining('position.x')],
    });
    expect(await meadow.all()).toEqual(now);
  });
});
