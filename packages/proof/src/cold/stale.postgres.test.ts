/** A cell that is held and not written between two sleeps: what was known of it before is of no use. */
import { type LiveStore, openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import type { ColdCell } from '@leasehold/protocol';
import { ColdCells, type ColdCellsOptions } from '@leasehold/snapshot-store';
import { Grid } from '@leasehold/spatial';
import { usePostgres, useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Holder } from './holder-fixture.ts';

const grid = new Grid({ kind: 'plane', width: 1_600, height: 1_600, cell: 100 });
const CELL = 37;
const GONE = [{ tag: 'COLD', hasLeft: true }];

const at = useRedis();
const postgres = usePostgres();
let stores: LiveStore[] = [];

/** Something happens between the image of a cell and its row. */
class LateColdCells extends ColdCells {
  readonly #before: () => Promise<unknown>;

  constructor(options: ColdCellsOptions, before: () => Promise<unknown>) {
    super(options);
    this.#before = before;
  }

  override async put(cells: readonly ColdCell[]): Promise<void> {
    await this.#before();
    await super.put(cells);
  }
}

const placeOf = () => ({ world: at.world, incarnation: 1, layer: 'main', layers: ['main'], grid });

async function open(before: () => Promise<unknown> = async () => undefined): Promise<LiveStore> {
  const cold = new LateColdCells({ ...placeOf(), url: postgres.databaseUrl }, before);
  const store = await openLiveStore({ ...placeOf(), url: at.url, cold });
  stores.push(store);
  return store;
}

beforeEach(async () => {
  const admin = await openWorldAdmin({ ...placeOf(), url: at.url });
  await admin.createBlocks();
  await admin.close();
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  stores = [];
});

test('E2 ids are given once, whoever has looked at the cell while it slept', async () => {
  const [a, b] = [await open(), await open()];
  await (await Holder.of(a, CELL)).leave('state');
  expect(await a.cool([CELL])).toEqual(GONE);
  expect((await a.heads([CELL]))[0]).toMatchObject({ asked: 0 });
  expect(await b.reserveIds(CELL, 5)).toBe(1);
  expect(await b.cool([CELL])).toEqual(GONE);
  expect(await a.reserveIds(CELL, 5)).toBe(6);
});

test('E2 whoever comes too late to put a cell away spoils nothing of it', async () => {
  const b = await open();
  const a = await open(async () => {
    expect(await b.reserveIds(CELL, 5)).toBe(1);
    expect(await b.cool([CELL])).toEqual(GONE);
  });
  await (await Holder.of(b, CELL)).leave('state');
  expect(await a.cool([CELL])).toEqual([{ tag: 'COLD', hasLeft: false }]);
  expect(await (await open()).reserveIds(CELL, 5)).toBe(6);
});
