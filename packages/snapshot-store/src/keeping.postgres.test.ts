/** What stays and what goes: damage, newer builds, dead workers, retention, files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { usePostgres } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BLOBS_LOCK } from './database.ts';
import type { CapturedCell, SnapshotStore } from './index.ts';
import { openSnapshotStore } from './index.ts';
import {
  all,
  at,
  cellOf,
  factsOf,
  flightOf,
  plain,
  type Row,
  taken,
  worldOf,
} from './snapshot-fixture.ts';

const db = usePostgres();
const folder = mkdtempSync(join(tmpdir(), 'leasehold-snapshots-'));
let store: SnapshotStore;

beforeAll(async () => {
  store = await openSnapshotStore({ url: db.databaseUrl });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const flights = [flightOf(0, 1, [[950, at(101, 50)]])];
/** Far longer than either takes. */
const WAITED_MS = 300;
/** Rows that no other snapshot has. */
const own = (id: number): CapturedCell[] =>
  worldOf(new Map<number, Row[]>([[4, [[id, at(1, 101)]]]]));

async function countOf(table: 'blob' | 'entity' | 'entity_batch' | 'snapshot_part') {
  const tables = {
    blob: 'select count(*)::int as count from leasehold.blob',
    entity: 'select count(*)::int as count from leasehold.entity',
    entity_batch: 'select count(*)::int as count from leasehold.entity_batch',
    snapshot_part: 'select count(*)::int as count from leasehold.snapshot_part',
  };
  return (await db.pool.query(tables[table])).rows[0].count as number;
}

describe('what is refused', () => {
  test('a snapshot that is not there, naming those that are', async () => {
    await taken(store, factsOf('known'), worldOf());
    await expect(store.get('nowhere')).rejects.toMatchObject({
      code: 'SNAPSHOT_UNKNOWN',
      detail: { value: 'nowhere', remedy: expect.stringContaining('known') },
    });
    await expect(all(store.cells('nowhere'))).rejects.toMatchObject({ code: 'SNAPSHOT_UNKNOWN' });
    await expect(store.remove('nowhere')).rejects.toMatchObject({ code: 'SNAPSHOT_UNKNOWN' });
  });

  test('an id that is taken, and a name that is none', async () => {
    await expect(store.begin(factsOf('known'))).rejects.toMatchObject({ code: 'SNAPSHOT_EXISTS' });
    await expect(store.begin(factsOf('a b'))).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });

  test('cells that are not of the world, miscounted, missing, or of an unknown schema', async () => {
    const writer = await store.begin(factsOf('wrong'));
    const miscounted = { ...cellOf(0, 1, []), count: 2 };
    const invalid = { code: 'SNAPSHOT_INVALID' };
    await expect(writer.put([cellOf(0, 16, [])])).rejects.toMatchObject(invalid);
    await expect(writer.put([miscounted])).rejects.toMatchObject(invalid);
    await expect(writer.putFlights(flights)).rejects.toMatchObject({
      ...{ ...invalid, detail: { value: '0/0' } },
    });
    await expect(writer.finish({ cells: 32 })).rejects.toMatchObject({
      code: 'SNAPSHOT_INCOMPLETE',
    });
    await writer.abort();
    const { layers, schemas } = factsOf('x');
    const [home] = layers;
    const hash = home?.schemaHash ?? '';
    const other = { ...schemas, [hash]: undefined } as unknown as typeof schemas;
    await expect(store.begin(factsOf('x', { schemas: other }))).rejects.toMatchObject(invalid);
    const only = factsOf('x', {
      ...{
        layers: layers.slice(1),
        schemas: {
          ...other,
          [layers[1]?.schemaHash ?? '']: schemas[layers[1]?.schemaHash ?? ''] ?? '',
        },
      },
    });
    const strange = await store.begin(only);
    await expect(strange.put([cellOf(0, 1, [[77, at(150, 50)]])])).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
    });
    await strange.abort();
  });

  test('a snapshot of a newer format, and one that is not whole', async () => {
    await expect(store.begin(factsOf('newer', { format: 2 }))).rejects.toMatchObject({
      code: 'SNAPSHOT_TOO_NEW',
    });
    await taken(store, factsOf('newer'), worldOf());
    await db.pool.query(
      `update leasehold.snapshot set facts = jsonb_set(facts, '{format}', '2') where id = 'newer'`,
    );
    await expect(all(store.cells('newer'))).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_NEW' });
    await store.remove('newer');
    const writer = await store.begin(factsOf('begun'));
    await expect(store.facts('begun')).rejects.toMatchObject({ code: 'SNAPSHOT_INCOMPLETE' });
    await writer.abort();
  });

  test('S1 damaged rows, positions and flights, naming layer and cell', async () => {
    await taken(store, factsOf('damaged'), own(600), flights);
    const corrupt = (cell: number) => ({
      code: 'SNAPSHOT_CORRUPT',
      detail: { value: expect.stringContaining(`layer motion, cell ${cell}`) },
    });
    await db.pool.query(
      `update leasehold.blob b set bytes = set_byte(bytes, 30, 255 - get_byte(bytes, 30))
         from leasehold.snapshot_part p join leasehold.snapshot s on s.number = p.snapshot
        where s.id = 'damaged' and p.source = 0 and p.cell = 4 and b.number = p.blob`,
    );
    await expect(store.verify('damaged')).rejects.toMatchObject(corrupt(4));
    await db.pool.query(
      `update leasehold.snapshot_cell c set seq = seq + 1 from leasehold.snapshot s
        where s.number = c.snapshot and s.id = 'damaged' and c.layer = 0 and c.cell = 2`,
    );
    await expect(all(store.cells('damaged'))).rejects.toMatchObject(corrupt(2));
    await db.pool.query(
      `update leasehold.snapshot_flight f set bytes = bytes || '\\x00' from leasehold.snapshot s
        where s.number = f.snapshot and s.id = 'damaged'`,
    );
    await expect(all(store.flights('damaged'))).rejects.toMatchObject(corrupt(0));
    await store.remove('damaged');
  });

  test('S1 cells that are gone, or were put there by somebody else', async () => {
    await taken(store, factsOf('fewer'), worldOf(), flights);
    await db.pool.query(
      `delete from leasehold.snapshot_flight f using leasehold.snapshot s
        where s.number = f.snapshot and s.id = 'fewer'`,
    );
    await expect(store.verify('fewer')).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    await db.pool.query(
      `delete from leasehold.snapshot_cell c using leasehold.snapshot s
        where s.number = c.snapshot and s.id = 'fewer' and c.cell = 9`,
    );
    await expect(all(store.cells('fewer'))).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
    await store.remove('fewer');
  });
});

describe('workers that die, and retention', () => {
  test('whoever begins the same id again goes on, doubles nothing, and the first one is lost', async () => {
    const dead = await store.begin(factsOf('resumed'));
    await dead.put(own(610).slice(0, 20));
    const blobs = await countOf('blob');
    const entities = await countOf('entity');
    const writer = await store.begin(factsOf('resumed', { tick: 130 }));
    await expect(dead.put(own(610))).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
    await expect(dead.finish()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
    await writer.put(own(610));
    const { cells, entities: count } = await writer.finish();
    expect([cells, count]).toEqual([32, 16]);
    expect([await countOf('blob'), await countOf('entity')]).toEqual([blobs, entities]);
    await store.verify('resumed');
  });

  test('what only a removed snapshot had goes with it, and only that', async () => {
    const before = [await countOf('blob'), await countOf('entity'), await countOf('entity_batch')];
    await taken(store, factsOf('short'), own(620), flights);
    expect(await countOf('blob')).toBe((before[0] ?? 0) + 2);
    await store.remove('short');
    expect([await countOf('blob'), await countOf('entity'), await countOf('entity_batch')]).toEqual(
      before,
    );
    await store.verify('known');
    await store.verify('resumed');
  });

  test('retention keeps what is being taken, and lets go of what was given up', async () => {
    for (const [i, id] of ['one', 'two', 'three'].entries()) {
      await taken(store, factsOf(id, { world: 'kept' }), own(630 + i));
    }
    await store.begin(factsOf('given-up', { world: 'kept' }));
    await db.pool.query(
      "update leasehold.snapshot set touched_at = now() - interval '2 hours' where id = 'given-up'",
    );
    const nothing = store.prune({ world: 'kept', keep: 0 });
    await expect(nothing).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    // It is in the midst of it: cells that nobody else names any more are named by this one alone.
    const writer = await store.begin(factsOf('four', { world: 'kept' }));
    const rest = own(630);
    await writer.put(rest.slice(0, 16));
    await db.pool.query("delete from leasehold.snapshot where id = 'one'");
    const pruned = await store.prune({ world: 'kept', keep: 1 });
    expect(pruned).toMatchObject({ removed: ['two'], abandoned: ['given-up'] });
    await writer.put(rest.slice(16));
    await writer.finish();
    expect((await store.list('kept')).map(({ id }) => id)).toEqual(['four', 'three']);
    for (const id of ['three', 'four']) await store.verify(id);
    const [found] = await store.entities('four', { ids: [630] });
    expect(found).toMatchObject({ id: 630, cell: 4 });
  });

  test('snapshots that are taken and removed at once leave each other whole', async () => {
    const take = async (name: string, turn: number): Promise<void> => {
      const id = `${name}-${turn}`;
      const cells = own(650 + (turn % 2));
      await taken(store, factsOf(id, { world: name }), cells, flights);
      await store.prune({ world: name, keep: 1 });
      expect(plain(await all(store.cells(id)))).toEqual(plain(cells));
      expect(await store.entities(id, { ids: [650 + (turn % 2), 950] })).toHaveLength(2);
    };
    const turns = Array.from({ length: 4 }, (_, turn) => turn);
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        for (const turn of turns) await take(name, turn);
      }),
    );
    await store.prune({ world: 'a', keep: 1 });
    const { rows } = await db.pool.query(
      `select batch from leasehold.entity_batch e
        where not exists (select from leasehold.blob b where b.batch = e.batch)`,
    );
    expect(rows).toEqual([]);
  });
});

test('content is named and deleted in turns, whoever comes first', async () => {
  const isWaiting = async (work: Promise<unknown>): Promise<boolean> =>
    Promise.race([work.then(() => false), sleep(WAITED_MS).then(() => true)]);
  const client = await db.pool.connect();
  try {
    await taken(store, factsOf('in-turn'), own(680));
    await client.query('select pg_advisory_lock_shared($1)', [BLOBS_LOCK]);
    const removal = store.remove('in-turn');
    expect(await isWaiting(removal)).toBe(true);
    await client.query('select pg_advisory_unlock_all()');
    await removal;
    const writer = await store.begin(factsOf('in-turn'));
    await client.query('select pg_advisory_lock($1)', [BLOBS_LOCK]);
    const put = writer.put(own(680));
    expect(await isWaiting(put)).toBe(true);
    await client.query('select pg_advisory_unlock_all()');
    await put;
    await writer.abort();
  } finally {
    await client.query('select pg_advisory_unlock_all()');
    client.release();
  }
});

describe('files', () => {
  const file = (name: string): string => join(folder, name);
  const importText = (text: string) =>
    store.import(Readable.from([Buffer.from(text)]), { id: 'bad' });

  test('S1 what is imported is what was exported, compressed or not', async () => {
    const cells = own(660);
    const finished = await taken(store, factsOf('out'), cells, flights);
    await store.exportFile('out', file('a.jsonl'));
    await store.exportFile('out', file('a.jsonl.gz'));
    expect(gunzipSync(readFileSync(file('a.jsonl.gz')))).toEqual(readFileSync(file('a.jsonl')));
    await store.remove('out');
    expect(await store.importFile(file('a.jsonl.gz'))).toEqual({ ...finished, id: 'out' });
    expect(await store.importFile(file('a.jsonl'), { id: 'copy' })).toMatchObject(finished);
    expect(plain(await all(store.cells('copy')))).toEqual(plain(cells));
    expect(plain(await all(store.flights('copy')))).toEqual(plain(flights));
    expect(await store.facts('copy')).toEqual(factsOf('copy'));
  });

  test('a file that is cut off, damaged or newer is refused by its line, and nothing stays', async () => {
    const lines = readFileSync(file('a.jsonl'), 'utf8').trimEnd().split('\n');
    await store.remove('out');
    await store.remove('copy');
    const before = [await countOf('blob'), await countOf('snapshot_part')];
    const refused = async (text: string, line: number, code = 'FILE_INVALID'): Promise<void> => {
      const detail = { value: `line ${line}` };
      await expect(importText(text)).rejects.toMatchObject({ code, detail });
    };
    const changed = (line: number, from: string | RegExp, to: string): string =>
      lines.map((text, i) => (i === line - 1 ? text.replace(from, to) : text)).join('\n');
    await refused(lines.slice(0, 20).join('\n'), 20);
    await refused(lines.slice(0, 20).join('\n').slice(0, -9), 20);
    await refused(changed(5, '"seq":13', '"seq":14'), 35);
    await refused(changed(1, '"tick":120', '"tick":121'), 35);
    await refused(`${lines.join('\n')}\n{}`, 35);
    await refused('', 1);
    await refused('{"leasehold":"world"}', 1);
    await refused(changed(1, '"format":1,"facts"', '"format":2,"facts"'), 1, 'SNAPSHOT_TOO_NEW');
    const packed = readFileSync(file('a.jsonl.gz'));
    await expect(store.import(Readable.from([packed.subarray(0, -40)]))).rejects.toMatchObject({
      code: 'FILE_INVALID',
    });
    expect([await countOf('blob'), await countOf('snapshot_part')]).toEqual(before);
    await expect(store.get('bad')).rejects.toMatchObject({ code: 'SNAPSHOT_UNKNOWN' });
    writeFileSync(file('kept.jsonl'), 'before');
    await expect(store.exportFile('gone', file('kept.jsonl'))).rejects.toMatchObject({
      code: 'SNAPSHOT_UNKNOWN',
    });
    expect(readFileSync(file('kept.jsonl'), 'utf8')).toBe('before');
  });

  test('as GeoJSON there is one feature for each entity', async () => {
    await taken(store, factsOf('map'), own(670), flights);
    await store.exportGeoJsonFile('map', file('map.geojson'));
    const { type, features } = JSON.parse(readFileSync(file('map.geojson'), 'utf8'));
    expect([type, features.length]).toEqual(['FeatureCollection', 17]);
    const found = features.filter(({ id }: { id: number }) => id === 670 || id === 950);
    expect(found).toEqual([
      {
        ...{ type: 'Feature', id: 670, geometry: { type: 'Point', coordinates: [1, 101] } },
        properties: {
          ...{ prefab: null, cell: 4, inFlight: false },
          components: { position: { x: 1, y: 101 } },
        },
      },
      expect.objectContaining({ id: 950, properties: expect.objectContaining({ inFlight: true }) }),
    ]);
  });
});
