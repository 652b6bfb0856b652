/** What only a real server shows of the index: other keys in its place, cost, and its own limits. */
import { createRandom } from '@leasehold/kernel';
import { Grid, geoAround, geoScore, type SpaceSpec, toGeo } from '@leasehold/spatial';
import { useRedis } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { hold, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);

test('a key that is no index, and members that are no ids, are empty answers', async () => {
  const store = await world.open();
  await at.redis.set(world.keys.cell(5).geo, 'something else');
  const member = ['nobody', '1.5', '01', '-0', ' 7', '9007199254740993', '12'];
  await at.redis.call('GEOADD', world.keys.cell(6).geo, ...member.flatMap((m) => [0, 0, m]));
  const search = { longitude: 0, latitude: 0, radiusM: 1000 };
  expect(await store.locate(12, [5, 6])).toEqual([6]);
  const found = await store.near(
    [5, 6].map((cell) => ({ cell, ...search })),
    9,
  );
  expect(found.map((each) => each.map(({ id }) => id))).toEqual([[], [12]]);
});

test('any number of cells is one round trip', async () => {
  const store = await world.open();
  const cells = Array.from({ length: 64 }, (_, cell) => cell);
  const before = store.traffic();
  await store.locate(1, cells);
  const between = store.traffic();
  expect(between.roundTrips - before.roundTrips).toBe(1);
  await store.near(
    cells.map((cell) => ({ cell, longitude: 0, latitude: 0, radiusM: 1 })),
    1,
  );
  expect(store.traffic().roundTrips - between.roundTrips).toBe(1);
});

const spaces: SpaceSpec[] = [
  { kind: 'plane', width: 700, height: 500, cell: 100 },
  { kind: 'torus', width: 500, height: 300, cell: 100 },
  { kind: 'wgs84', cell: 5 },
  { kind: 'wgs84', cell: 60 },
];

test.each(spaces)('a search around any point finds all of a cell on $kind', async (spec) => {
  const grid = new Grid(spec);
  const random = createRandom(7);
  const holder = await hold(await world.open(), 5);
  const point: [number, number] = [0, 0];
  const cells = [0, 1, grid.columns - 1, grid.cells - 1, Math.floor(grid.cells / 2)];
  for (const cell of [...cells, random.below(grid.cells), random.below(grid.cells)]) {
    const put: { id: number; longitude: number; latitude: number }[] = [];
    for (let id = 0; id < 80; id++) {
      // Corners too, and as far from the centre as the index goes.
      const [right, up] = [random.between(-1, 1), random.between(-1, 1)].map((offset) =>
        random.chance(0.3) ? Math.sign(offset) : offset,
      ) as [number, number];
      const y = grid.centreY(cell) + up * grid.cellSize * 0.999;
      const x = grid.wrapX(grid.centreX(cell) + right * grid.cellSize * 0.999);
      if (!toGeo(grid, cell, x, grid.wrapY(y), point)) continue;
      put.push({ id, longitude: point[0], latitude: point[1] });
    }
    await holder.commit({ geo: { put, drop: [] } });
    for (let i = 0; i < 20; i++) {
      const x = grid.originX + random.between(-0.2, 1.2) * grid.width;
      const y = grid.originY + random.between(-0.2, 1.2) * grid.height;
      const [found = []] = await holder.store.near(
        [{ cell: 5, ...geoAround(grid, cell, x, y) }],
        100,
      );
      const ids = found.map(({ id }) => id).sort((a, b) => a - b);
      expect(ids, `cell ${cell} from (${x}, ${y})`).toEqual(put.map(({ id }) => id));
    }
    await holder.commit({ geo: { put: [], drop: put.map(({ id }) => id) } });
  }
});

test('a score is the one that GEOADD gives the same point', async () => {
  const random = createRandom(3);
  const points: [number, number][] = [
    [0, 0],
    [-180, -85.05112878],
    [179.999_999, 85.051_128],
  ];
  for (let i = 0; i < 2_000; i++) {
    const wide = random.chance(0.5);
    points.push(
      wide
        ? [random.between(-180, 180), random.between(-85.05, 85.05)]
        : [random.between(-1, 1), random.between(-1, 1)],
    );
  }
  const key = 'scores-of-points';
  await at.redis.geoadd(key, ...points.flatMap(([x, y], i) => [x, y, String(i)]));
  const scores = await at.redis.zmscore(key, ...points.map((_, i) => String(i)));
  await at.redis.del(key);
  expect(points.map(([x, y]) => String(geoScore(x, y)))).toEqual(scores);
  expect([geoScore(181, 0), geoScore(0, 86), geoScore(Number.NaN, 0)]).toEqual([-1, -1, -1]);
  expect(geoScore(180, 1)).toBe(geoScore(-180, 1));
});
