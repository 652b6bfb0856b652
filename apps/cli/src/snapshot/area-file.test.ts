/** What a drawn area may not be: refused with a path into the file, what stands there, and what to do. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeaseholdError } from '@leasehold/kernel';
import { Grid } from '@leasehold/spatial';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectInside, readArea } from './area-file.ts';

const SQUARE = [
  [5, 5],
  [15, 5],
  [15, 15],
  [5, 15],
  [5, 5],
];
const CORNERS = SQUARE.slice(0, -1);
const HOLE = [
  [8, 8],
  [8, 12],
  [12, 12],
  [8, 8],
];
const ring = (positions: unknown, ...holes: readonly unknown[]) => {
  return { type: 'Polygon', coordinates: [positions, ...holes] };
};
const feature = (geometry: unknown) => ({ type: 'Feature', properties: {}, geometry });
const plane = new Grid({ kind: 'plane', width: 40, height: 40, cell: 10 });
const globe = new Grid({ kind: 'wgs84', cell: 10 });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leasehold-area-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function drawn(text: string, name = 'area.geojson'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

function faultOf(act: () => unknown): LeaseholdError {
  try {
    act();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
  }
  throw new Error('it is accepted');
}

const around = feature(ring([...CORNERS.map((point) => [...point, 120]), [5, 5, 120]]));

test.each([
  ['a polygon', 'area.geojson', ring(SQUARE)],
  ['a feature whose positions have heights', 'area.JSON', around],
  ['a collection of one', 'any name', { type: 'FeatureCollection', features: [around] }],
])('%s is an area', async (_, name, value) => {
  const { area } = readArea(await drawn(JSON.stringify(value), name));
  expect(area).toEqual({ kind: 'polygon', points: CORNERS });
});

test('rings behind the first are holes', async () => {
  const other = HOLE.map(([x = 0, y = 0]) => [x + 5, y + 5]);
  const { area } = readArea(await drawn(JSON.stringify(feature(ring(SQUARE, HOLE, other)))));
  const holes = [HOLE, other].map((hole) => hole.slice(0, -1));
  expect(area).toEqual({ kind: 'polygon', points: CORNERS, holes });
});

test.each([
  ['null', null, 'type', 'nothing', /no polygon/],
  ['a point', { type: 'Point', coordinates: [5, 5] }, 'type', '"Point"', /no polygon/],
  ['a feature without a place', feature(null), 'geometry.type', 'nothing', /no polygon/],
  ['no coordinates', { type: 'Polygon' }, 'coordinates', 'nothing', /no ring/],
  ['no ring', { type: 'Polygon', coordinates: [] }, 'coordinates', '[]', /no ring/],
  ['a ring of numbers', ring([1, 2, 3, 1]), 'coordinates[0][0]', '1', /no position/],
  ['a ring that is none', ring(SQUARE, 5), 'coordinates[1]', '5', /no ring/],
  ['a hole of two', ring(SQUARE, HOLE.slice(2)), 'coordinates[1]', '2', /make no ring/],
  [
    ...(['an open hole', ring(SQUARE, HOLE, CORNERS), 'coordinates[2][3]', '[5,15]'] as const),
    ...([/the ring is open/] as const),
  ],
  ['a height alone', ring(SQUARE, [[1], ...HOLE]), 'coordinates[1][0]', '[1]', /no position/],
  ['null, which is not 0', ring([[5, null]]), 'coordinates[0][0]', '[5,null]', /no position/],
  [
    ...(['two of them', { type: 'FeatureCollection', features: [1, 2] }] as const),
    ...(['features', '2', /not one/] as const),
  ],
  [
    ...([
      'a ring within features',
      { type: 'FeatureCollection', features: [feature(ring([]))] },
    ] as const),
    ...(['features[0].geometry.coordinates[0]', '0', /make no ring/] as const),
  ],
])('%s is none', async (_, value, field, shown, says) => {
  const file = await drawn(JSON.stringify(value));
  const fault = faultOf(() => readArea(file));
  expect(fault).toMatchObject({ code: 'AREA_INVALID', detail: { field, value: shown } });
  expect(fault.message).toMatch(says);
  expect(fault.message).toContain(file);
  expect(fault.detail.remedy).toMatch(/\w/);
});

test('a number beyond all numbers is none', async () => {
  const file = await drawn(JSON.stringify(ring(SQUARE)).replace('15', '1e999'));
  expect(faultOf(() => readArea(file)).detail.field).toBe('coordinates[0][1]');
});

test.each([
  ['flood', /no such file/],
  [tmpdir(), /it is a folder/],
  ['around:7,5', /may have moved/],
  ['box:1,2,3', /cannot be/],
  ['boxes:1,2,3,4', /no such file/],
])('%s is none', (text, says) => {
  const fault = faultOf(() => readArea(text));
  expect(fault).toMatchObject({ code: 'AREA_INVALID', detail: { field: '--area', value: text } });
  expect(fault.message).toMatch(says);
  expect(fault.detail.remedy).toMatch(/box:/);
});

test.each([
  [plane, 'world', true],
  [plane, 'box:30,30,90,90', true],
  [plane, 'box:41,0,90,90', false],
  [plane, 'circle:39,39,20', true],
  [plane, 'circle:41,20,20', false],
  // None of its corners is in the world, and the world is in it.
  [plane, 'polygon:-90,-90;90,-90;90,90;-90,90', true],
  [plane, 'polygon:50,0;60,0;60,9', false],
  [globe, 'box:170,0,190,10', true],
  [globe, 'box:0,91,10,95', false],
  [globe, 'circle:0,95,1000', false],
])('of this world %o the area %s is a part: %s', (grid, text, isInside) => {
  const act = (): void => expectInside(grid, readArea(text));
  if (isInside) expect(act).not.toThrow();
  else expect(faultOf(act).message).toMatch(/lies outside of the world/);
});

test.each([
  ['polygon:5,5;25,25;25,5;5,25', /crosses itself/, /Order the points/],
  ['polygon:5,5;15,5;25,5', /enclose no area/, /one line/],
  ['circle:5,5,500', /beyond half the space/, /at most/],
])('%s is refused as it is typed', (text, says, remedy) => {
  const fault = faultOf(() => expectInside(plane, readArea(text)));
  expect(fault).toMatchObject({ code: 'AREA_INVALID', detail: { field: '--area' } });
  expect(fault.message).toMatch(says);
  expect(fault.message).toContain(`--area cannot be ${text}: `);
  expect(fault.detail.remedy).toMatch(remedy);
});

test.each([
  ['an outer ring', ring(SQUARE.map(([x = 0]) => [x, x])), '[0]', /2 points make no polygon/],
  [
    'the second hole',
    ring(SQUARE, HOLE, HOLE),
    '[2]',
    /crosses that of geometry\.coordinates\[1\]/,
  ],
  ['all holes', ring(SQUARE, ...Array(42).fill(HOLE)), '', /coordinates: 130 points of all rings/],
])('of a file the place of %s is named', async (_, value, place, says) => {
  const file = await drawn(JSON.stringify(feature(value)));
  const fault = faultOf(() => expectInside(plane, readArea(file)));
  const field = `geometry.coordinates${place}`;
  expect(fault).toMatchObject({ code: 'AREA_INVALID', detail: { field } });
  expect(fault.message).toMatch(says);
  expect(fault.message).toContain(`--area cannot be ${file}: ${field}: `);
});
