/**
 * Goal: an area that cannot be restored is refused with its field, value and remedy, and nothing is changed.
 * Method: the command as a user types it, beside a world that runs and differs from its snapshot everywhere.
 */
import { join } from 'node:path';
import { usePostgres, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from '../command-fixture.ts';
import { type Components, Meadow, standingAt } from './meadow-fixture.ts';

const at = useRedis();
const db = usePostgres();
const BEFORE = 'steppe-before';
let user: User;
let steppe: Meadow;
let now: Map<number, Components>;

const snapshots = async (): Promise<string[]> => {
  const { rows } = await db.pool.query('select id from leasehold.snapshot order by id');
  return rows.map(({ id }) => id);
};

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url, DATABASE_URL: db.databaseUrl });
  steppe = await Meadow.start(user, 'steppe');
  await steppe.take(BEFORE);
  await steppe.remove(standingAt(await steppe.all(), 10, 10));
  now = await steppe.all();
});
afterAll(async () => {
  await steppe?.stop();
  await user?.close();
});

const polygon = (...rings: unknown[]): string =>
  JSON.stringify({ type: 'Polygon', coordinates: rings });
const SQUARE = [
  [5, 5],
  [15, 5],
  [15, 15],
  [5, 15],
  [5, 5],
];
const HOLE = [
  [8, 8],
  [12, 8],
  [12, 12],
  [8, 8],
];

type Wrong = {
  /** What is in the file. */
  readonly text?: string;
  /** Instead of a file. */
  readonly typed?: string;
  readonly field?: string;
  readonly value: RegExp;
  readonly says: RegExp;
  readonly remedy: RegExp;
};

const wrongs: Readonly<Record<string, Wrong>> = {
  'a polygon outside of the world': {
    text: polygon(SQUARE.map((point) => point.map((each) => each + 100))),
    value: /area\.geojson$/,
    says: /all of it lies outside of the world, which is 0 … 40 by 0 … 40/,
    remedy: /GeoJSON/,
  },
  'a circle around a point outside of the world': {
    typed: 'circle:60,20,25',
    value: /^circle:60,20,25$/,
    says: /its centre lies outside of the world/,
    remedy: /circle:/,
  },
  'a polygon that crosses itself': {
    text: polygon([
      [5, 5],
      [25, 25],
      [25, 5],
      [5, 25],
      [5, 5],
    ]),
    field: 'coordinates[0]',
    value: /^\(15, 15\)$/,
    says: /area\.geojson: coordinates\[0\]: \(15, 15\) is where the border touches or crosses itself/,
    remedy: /Order the points/,
  },
  'a ring that is not closed': {
    text: polygon(SQUARE.slice(0, -1)),
    field: 'coordinates[0][3]',
    value: /^\[5,15\]$/,
    says: /not its first, \[5,5\]: the ring is open/,
    remedy: /first position again at the end/,
  },
  'fewer than three points': {
    text: polygon([
      [5, 5],
      [15, 5],
      [5, 5],
    ]),
    field: 'coordinates[0]',
    value: /^3$/,
    says: /3 positions make no ring/,
    remedy: /three corners/,
  },
  'NaN, which is no JSON': {
    text: polygon(SQUARE).replace('15', 'NaN'),
    value: /area\.geojson$/,
    says: /no JSON: .*N/,
    remedy: /GeoJSON/,
  },
  'a coordinate that is no number': {
    text: polygon([
      [5, 5],
      ['15', 5],
      [15, 15],
      [5, 5],
    ]),
    field: 'coordinates[0][1]',
    value: /^\["15",5\]$/,
    says: /is no position/,
    remedy: /two finite numbers/,
  },
  'what is not GeoJSON': {
    text: '{"area": [1, 2, 3]}',
    field: 'type',
    value: /nothing/,
    says: /no polygon of GeoJSON/,
    remedy: /one polygon/,
  },
  'a hole of fewer than three points': {
    text: polygon(SQUARE, HOLE.slice(1)),
    field: 'coordinates[1]',
    value: /^3$/,
    says: /3 positions make no ring/,
    remedy: /three corners/,
  },
  'a hole that is not closed': {
    text: polygon(SQUARE, HOLE, [...HOLE.slice(0, -1), [8, 12]]),
    field: 'coordinates[2][3]',
    value: /^\[8,12\]$/,
    says: /not its first, \[8,8\]: the ring is open/,
    remedy: /first position again at the end/,
  },
  'a hole across the outer ring': {
    text: polygon(
      SQUARE,
      HOLE.map(([x = 0, y = 0]) => [x, y + 5]),
    ),
    field: 'coordinates[1]',
    value: /^\(\d+, 15\)$/,
    says: /touches or crosses the outer ring/,
    remedy: /inside of the outer ring/,
  },
  'a hole outside of the outer ring': {
    text: polygon(
      SQUARE,
      HOLE.map(([x = 0, y = 0]) => [x + 10, y]),
    ),
    field: 'coordinates[1]',
    value: /^\(18, 8\)$/,
    says: /is a corner outside of the outer ring/,
    remedy: /inside of the outer ring/,
  },
  'too many points in all': {
    text: polygon(SQUARE, ...Array(42).fill(HOLE)),
    field: 'coordinates',
    value: /^130$/,
    says: /130 points of all rings are too many/,
    remedy: /at most 128, those of the outer ring/,
  },
  'a file that there is not': {
    typed: 'nowhere/flood.geojson',
    value: /^nowhere\/flood\.geojson$/,
    says: /there is no such file/,
    remedy: /GeoJSON file/,
  },
};

async function refused(id: string, area: string) {
  const kept = await snapshots();
  const { code, fault } = await user.json(['snapshot', 'restore', id, '--area', area, '--yes']);
  expect(await snapshots()).toEqual(kept);
  return { exit: code, ...fault };
}

test.each(Object.entries(wrongs))('%s', async (_, wrong) => {
  const { text, typed = '', field = '--area', value, says, remedy } = wrong;
  const folder = text === undefined ? '' : await user.folder('drawn', { 'area.geojson': text });
  const area = text === undefined ? typed : join(folder, 'area.geojson');
  expect(await refused(BEFORE, area)).toEqual({
    ...{ exit: 2, code: 'AREA_INVALID', field, value: expect.stringMatching(value) },
    message: expect.stringMatching(says),
    remedy: expect.stringMatching(remedy),
  });
});

test('a snapshot that nobody took: those that are there are named', async () => {
  expect(await refused('nobody', 'box:0,0,20,20')).toMatchObject({
    ...{ exit: 2, code: 'SNAPSHOT_UNKNOWN', field: 'snapshot', value: 'nobody' },
    remedy: expect.stringContaining(BEFORE),
  });
});

// Behind all of them: what each has left. Who is missing stood on the border of the hole.
test('none of them has changed anything; what is drawn as it should be does', async () => {
  expect(await steppe.all()).toEqual(now);
  const folder = await user.folder('drawn', { 'area.geojson': polygon(SQUARE, HOLE) });
  const area = join(folder, 'area.geojson');
  const done = await steppe.said('snapshot', 'restore', BEFORE, '--area', area, '--yes');
  expect(done).toMatchObject({ code: 0, born: 1, refused: 0 });
});
