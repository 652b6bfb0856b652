/** Part of the store suite: what the index of a cell answers, and what it does not know. */
import { expect, test } from 'vitest';
import type { NearSearch } from './store.ts';
import { LOCATE_CELLS_MAX, NEAR_COUNT_MAX, NEAR_SEARCHES_MAX } from './store.ts';
import { hold, type SuiteWorld } from './store-suite-bench.ts';

/** Steps of 360° / 2^26 are 60 cm at the equator. */
const STEP_M = 0.6;
const DEGREE_M = (Math.PI * 6_372_797.56) / 180;
/** Larger than half the way round: everything. */
const EVERYWHERE_M = 2.1e7;

const search = (cell: number, longitude: number, latitude: number, radiusM = EVERYWHERE_M) =>
  ({ cell, longitude, latitude, radiusM }) satisfies NearSearch;

const put = (id: number, longitude: number, latitude: number) => ({ id, longitude, latitude });

export function indexTests(world: () => SuiteWorld): void {
  test('an entity is located where the index has it, in the order asked', async () => {
    const a = await world().openStore('a');
    const [five, nine] = [await hold(a, 5, 'a'), await hold(a, 9, 'a')];
    await five.commit({ geo: { put: [put(1, 0, 0), put(2 ** 52 + 1, 0, 0)], drop: [] } });
    await nine.commit({ geo: { put: [put(1, 0.1, 0), put(3, 0, 0)], drop: [] } });
    expect(await a.locate(1, [9, 7, 5, 60])).toEqual([9, 5]);
    expect(await a.locate(2 ** 52 + 1, [5, 9])).toEqual([5]);
    expect(await a.locate(4, [5, 9])).toEqual([]);
    expect(await a.locate(1, [])).toEqual([]);
    await five.commit({ geo: { put: [], drop: [1] } });
    expect(await a.locate(1, [5, 9])).toEqual([9]);
  });

  test('cells that do not exist, and worlds that do not, have an empty index', async () => {
    const a = await world().openStore('a');
    await (await hold(a, 5, 'a')).commit({ geo: { put: [put(1, 0, 0)], drop: [] } });
    const { cells } = world();
    expect(await a.locate(1, [-1, cells, 0.5, Number.NaN, 5])).toEqual([5]);
    const found = await a.near([search(cells, 0, 0), search(5, 0, 0), search(-1, 0, 0)], 9);
    expect(found.map((each) => each.length)).toEqual([0, 1, 0]);
    await world().admin.forget();
    expect(await a.locate(1, [5])).toEqual([]);
    expect(await a.near([search(5, 0, 0)], 9)).toEqual([[]]);
  });

  test('candidates are those within the radius, nearest first, as many as asked', async () => {
    const a = await world().openStore('a');
    const five = await hold(a, 5, 'a');
    const places = [put(1, 0.3, 0.4), put(2, 0, 0.1), put(3, -0.2, 0), put(4, 0.9, 0.9)];
    await five.commit({ geo: { put: places, drop: [] } });
    const [found = []] = await a.near([search(5, 0, 0)], 9);
    expect(found.map(({ id }) => id)).toEqual([2, 3, 1, 4]);
    const [second, third] = [found[1], found[2]];
    expect(Math.abs((second?.longitude ?? 0) + 0.2)).toBeLessThan(360 / 2 ** 26);
    expect(Math.abs(second?.latitude ?? 1)).toBeLessThan(360 / 2 ** 26);
    expect(Math.abs((second?.distanceM ?? 0) - 0.2 * DEGREE_M)).toBeLessThan(STEP_M);
    expect(Math.abs((third?.distanceM ?? 0) - 0.5 * DEGREE_M)).toBeLessThan(2);
    const [within = []] = await a.near([search(5, 0, 0, 0.3 * DEGREE_M)], 9);
    expect(within.map(({ id }) => id)).toEqual([2, 3]);
    const [first = []] = await a.near([search(5, 0, 0)], 1);
    expect(first.map(({ id }) => id)).toEqual([2]);
    const none = await a.near([search(5, 0, 0.5, 10)], 9);
    expect(none).toEqual([[]]);
  });

  test('searches are answered each for its own cell and point, in one call', async () => {
    const a = await world().openStore('a');
    const [five, nine] = [await hold(a, 5, 'a'), await hold(a, 9, 'a')];
    await five.commit({ geo: { put: [put(1, 0, 0), put(2, 0.5, 0)], drop: [] } });
    await nine.commit({ geo: { put: [put(3, 0, 0)], drop: [] } });
    const found = await a.near([search(9, 1, 1), search(5, 1, 0), search(5, -1, 0)], 9);
    expect(found.map((each) => each.map(({ id }) => id))).toEqual([[3], [2, 1], [1, 2]]);
    expect(await a.near([], 9)).toEqual([]);
  });

  test('the index holds all longitudes and reaches over the seam', async () => {
    const a = await world().openStore('a');
    const five = await hold(a, 5, 'a');
    const places = [put(1, 179.9, 85), put(2, -179.8, 85), put(3, 0, -85), put(4, 0, 85)];
    await five.commit({ geo: { put: places, drop: [] } });
    const [near = []] = await a.near([search(5, 179.97, 85.05, 50_000)], 9);
    expect(near.map(({ id }) => id)).toEqual([1, 2]);
    const [all = []] = await a.near([search(5, 180, 85)], 9);
    expect(all.map(({ id }) => id)).toEqual([1, 2, 4, 3]);
  });

  test('more than the named limits is a fault of the caller, before anything is asked', async () => {
    const a = await world().openStore('a');
    const call = async (run: () => Promise<unknown>): Promise<unknown> => run();
    const cells = Array.from({ length: LOCATE_CELLS_MAX + 1 }, () => 5);
    await expect(call(() => a.locate(1, cells))).rejects.toThrow('too many');
    const searches = Array.from({ length: NEAR_SEARCHES_MAX + 1 }, () => search(5, 0, 0));
    await expect(call(() => a.near(searches, 1))).rejects.toThrow('too many');
    for (const count of [0, NEAR_COUNT_MAX + 1, Number.NaN]) {
      await expect(call(() => a.near([search(5, 0, 0)], count))).rejects.toThrow('limits');
    }
  });

  test('a closed store rejects what it cannot ask', async () => {
    const a = await world().openStore('a');
    await a.close();
    await expect(a.locate(1, [5])).rejects.toThrow();
    await expect(a.near([search(5, 0, 0)], 1)).rejects.toThrow();
  });
}
