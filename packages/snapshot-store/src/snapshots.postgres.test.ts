/** Snapshots in a real database: what is taken is what is read, once each, and seen by people. */
import { addressOf, encodeRows } from '@leasehold/protocol';
import { usePostgres } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SnapshotStore } from './index.ts';
import { openSnapshotStore } from './index.ts';
import {
  all,
  at,
  cellOf,
  factsOf,
  flightOf,
  metabolism,
  plain,
  type Row,
  tableFrom,
  taken,
  worldOf,
} from './snapshot-fixture.ts';

const db = usePostgres();
let store: SnapshotStore;

beforeAll(async () => {
  store = await openSnapshotStore({ url: db.databaseUrl });
});
afterAll(() => store.close());

/** Every kind of what database text cannot hold, and a component of the engine's own. */
const odd: Row = [
  900,
  {
    position: { x: 10.25, y: 1 / 3 },
    prefab: { name: 'lamp', version: 'abc' },
    note: { text: 'a\0b\\u0000 "é', json: { deep: ['\ud800', null, 1.5e21] }, isLoud: 1 },
    _letters: { count: 4 },
  },
];
const oddCells = new Map([[0, [odd]]]);
const leaver: Row = [950, at(110, 50)];
const flight = flightOf(0, 1, [leaver]);

async function blobs(): Promise<number> {
  const { rows } = await db.pool.query('select count(*)::int as count from leasehold.blob');
  return rows[0].count;
}

test('S1 what is read is what was captured, bit for bit', async () => {
  const cells = worldOf(oddCells);
  const facts = factsOf('exact');
  const finished = await taken(store, facts, cells, [flight]);
  expect(finished).toMatchObject({ cells: 32, entities: 17, inFlight: 1 });
  expect(await store.facts('exact')).toEqual(facts);
  expect(plain(await all(store.cells('exact')))).toEqual(plain(cells));
  expect(plain(await all(store.flights('exact')))).toEqual(plain([flight]));
  expect(await store.verify('exact')).toEqual(finished);
  expect(await store.get('exact')).toMatchObject({
    state: 'complete',
    totals: finished,
    tick: 120,
  });
  expect((await store.list('w')).map(({ id }) => id)).toContain('exact');
});

test('some cells of one layer are read without the others, and what all of it takes is known', async () => {
  const cells = worldOf(oddCells);
  await taken(store, factsOf('part'), cells, [flight]);
  const some = await store.someCells('part', { layer: 'motion', cells: [5, 0, 99] });
  const [zero, five] = [cells[0], cells[5]];
  expect(plain(some)).toEqual(plain({ cells: [zero, five], flights: [flight] }));
  const other = await store.someCells('part', { layer: 'metabolism', cells: [0] });
  expect(plain(other)).toEqual(plain({ cells: [cells[16]], flights: [] }));
  const bytes = cells.slice(0, 16).reduce((sum, { rows }) => sum + rows.length, 0);
  expect(await store.layerBytes('part', 'motion')).toBe(bytes);
  const unknown = { code: 'SNAPSHOT_INVALID', detail: { field: 'layer', value: 'none' } };
  const asked = { layer: 'none', cells: [0] };
  await expect(store.someCells('part', asked)).rejects.toMatchObject(unknown);
  await store.remove('part');
});

test('content that is there already costs a row and no bytes', async () => {
  const before = await blobs();
  const { rows: entitiesBefore } = await db.pool.query('select count(*) from leasehold.entity');
  const finished = await taken(store, factsOf('again', { tick: 121 }), worldOf(oddCells), [flight]);
  expect(await blobs()).toBe(before);
  const { rows } = await db.pool.query('select count(*) from leasehold.entity');
  expect(rows).toEqual(entitiesBefore);
  expect(finished.hash).toBe((await store.get('exact')).totals?.hash);
  const moved = new Map([...oddCells, [3, [[4, at(399, 5)] satisfies Row]]]);
  await taken(store, factsOf('moved'), worldOf(moved), [flight]);
  expect(await blobs()).toBe(before + 1);
});

test('S1 one that keeps to a rate is the same, and has the same indexes', async () => {
  const moved = new Map([...oddCells, [6, [[7, at(250, 150)] satisfies Row]]]);
  const freely = await taken(store, factsOf('free'), worldOf(moved));
  await store.remove('free');
  const writer = await store.begin(factsOf('gentle'), { bytesPerSecond: 1_000_000 });
  await writer.put(worldOf(moved));
  expect(await writer.finish()).toEqual(freely);
  expect(plain(await all(store.cells('gentle')))).toEqual(plain(worldOf(moved)));
  const { rows } = await db.pool.query(
    `select b.is_sealed, (select count(*)::int from pg_indexes i
                           where i.schemaname = 'leasehold' and i.tablename = 'entity_' || b.batch) as indexes
       from leasehold.entity_batch b`,
  );
  expect(rows.length).toBeGreaterThan(1);
  expect(new Set(rows.map(({ is_sealed: isSealed }) => isSealed))).toEqual(new Set([true]));
  expect(new Set(rows.map(({ indexes }) => indexes))).toEqual(new Set([3]));
  await store.remove('gentle');
});

test('a cell that was captured anew counts as it was last', async () => {
  const writer = await store.begin(factsOf('anew'));
  await writer.put(worldOf());
  await writer.put([cellOf(0, 2, [[777, at(201, 1)]]), cellOf(0, 2, [[778, at(202, 1)]])]);
  await writer.putFlights([flight]);
  await writer.putFlights([flightOf(0, 4, [])]);
  expect(await writer.finish({ cells: 32 })).toMatchObject({ entities: 16, inFlight: 0 });
  const found = await store.entities('anew', { ids: [3, 777, 778, 950] });
  expect(found.map(({ id }) => id)).toEqual([778]);
});

test('people see each entity once, with what all layers have of it, and who is on the way', async () => {
  const energy = tableFrom(metabolism, [[950, { energy: { level: 99 } }]]);
  const born = { seq: 3, from: 0, to: addressOf(1, 0), tick: 119, body: encodeRows(energy, 119) };
  const both = { ...flight, channel: [born, ...flight.channel] };
  await taken(store, factsOf('seen'), worldOf(oddCells), [both]);
  const { rows } = await db.pool.query(
    `select id::int, cell, st_x(geometry) as x, prefab, components, in_flight
       from history.entities where snapshot = 'seen' and id in (2, 900, 950) order by id`,
  );
  const text = 'a\ufffdb\\u0000 "é';
  expect(rows).toEqual([
    {
      ...{ id: 2, cell: 1, x: 150, prefab: null, in_flight: false },
      components: { position: { x: 150, y: 50 }, energy: { level: 1 } },
    },
    {
      ...{ id: 900, cell: 0, x: 10.25, prefab: 'lamp', in_flight: false },
      components: {
        position: { x: 10.25, y: 1 / 3 },
        prefab: { name: 'lamp', version: 'abc' },
        note: { text, json: { deep: ['\ufffd', null, 1.5e21] }, isLoud: true },
      },
    },
    {
      ...{ id: 950, cell: 0, x: 110, prefab: null, in_flight: true },
      components: { position: { x: 110, y: 50 }, energy: { level: 99 } },
    },
  ]);
  const { rows: counted } = await db.pool.query(
    "select count(*)::int, count(distinct id)::int as ids from history.entities where snapshot = 'seen'",
  );
  expect(counted).toEqual([{ count: 17, ids: 17 }]);
  const { rows: squares } = await db.pool.query(
    `select layer, entities, in_flight, st_astext(geometry) as square
       from history.cells where snapshot = 'seen' and cell = 0 order by layer desc`,
  );
  const square = 'POLYGON((0 0,0 100,100 100,100 0,0 0))';
  expect(squares).toEqual([
    { layer: 'motion', entities: 1, in_flight: 1, square },
    { layer: 'metabolism', entities: 1, in_flight: 0, square },
  ]);
});

test('entities are told page by page, of an area, and nearest first', async () => {
  const pageOf = (after: number) => store.entities('seen', { after, limit: 7 });
  const ids: number[] = [];
  for (let page = await pageOf(-1); page.length > 0; page = await pageOf(ids.at(-1) ?? 0)) {
    ids.push(...page.map(({ id }) => id));
  }
  expect(ids).toEqual([...Array.from({ length: 15 }, (_, i) => i + 2), 900, 950]);
  const box = { kind: 'box', minX: 105, minY: 0, maxX: 160, maxY: 60 } as const;
  const inBox = await store.entities('seen', { area: box });
  expect(inBox.map(({ id }) => id)).toEqual([2, 950]);
  const near = await store.near('seen', { x: 149, y: 50, limit: 3 });
  expect(near.map(({ id, distance }) => [id, distance])).toEqual([
    ...[
      [2, 1],
      [950, 39],
      [6, expect.closeTo(100.005)],
    ],
  ]);
  expect(await store.counts('seen')).toEqual({
    prefabs: { '': 16, lamp: 1 },
    components: { energy: 16, note: 1, position: 17, prefab: 1 },
  });
});

test('differences are told by entity and field, and nobody who stayed the same', async () => {
  const before = new Map<number, Row[]>([
    [
      0,
      [
        [1, at(50, 50)],
        [40, at(1, 1)],
      ],
    ],
    [
      1,
      [
        [2, at(150, 50)],
        [41, { ...at(101, 1), note: { text: 'a', json: [1], isLoud: 0 } }],
      ],
    ],
  ]);
  const after = new Map<number, Row[]>([
    [0, [[1, at(50, 51)]]],
    [
      1,
      [
        [2, at(150, 50)],
        [41, at(101, 1)],
        [42, at(102, 2)],
      ],
    ],
  ]);
  const fed = worldOf(after).map((cell) =>
    cell.layer === 1 && cell.cell === 5 ? cellOf(1, 5, [[6, { energy: { level: 77 } }]]) : cell,
  );
  await taken(store, factsOf('first'), worldOf(before), [flight]);
  // Who was on the way is there now: that changed nothing.
  const arrived = fed.map((cell) =>
    cell.layer === 0 && cell.cell === 7 ? cellOf(0, 7, [[8, at(350, 150)], leaver]) : cell,
  );
  await taken(store, factsOf('second'), arrived);
  expect(await all(store.diff('first', 'second'))).toEqual([
    {
      kind: 'changed',
      id: 1,
      fields: [{ component: 'position', field: 'y', before: 50, after: 51 }],
    },
    {
      kind: 'changed',
      id: 6,
      fields: [{ component: 'energy', field: 'level', before: 5, after: 77 }],
    },
    { kind: 'removed', id: 40, components: { position: { x: 1, y: 1 } } },
    {
      ...{ kind: 'changed', id: 41 },
      fields: [{ component: 'note', before: { text: 'a', json: [1], isLoud: false } }],
    },
    { kind: 'added', id: 42, components: { position: { x: 102, y: 2 } } },
  ]);
});
