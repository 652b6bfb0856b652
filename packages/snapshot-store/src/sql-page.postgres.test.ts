/** The page that tells people how to ask snapshots: what it says is asked, and what it answers. */
import { readFileSync } from 'node:fs';
import { usePostgres } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSnapshotStore, type SnapshotStore } from './index.ts';
import {
  at,
  cellOf,
  factsOf,
  flightOf,
  metabolism,
  motion,
  type Row,
  taken,
  worldOf,
} from './snapshot-fixture.ts';

const page = readFileSync(new URL('../../../docs/guides/sql.md', import.meta.url), 'utf8');
const QUESTION = /## (Who|Where|What) (.+)\n\n```sql\n([^`]+)```\n\n```text\n([^`]+)```/g;
const questions = [...page.matchAll(QUESTION)].map(([, word, rest, sql, answer]) => {
  return { title: `${word} ${rest}`, sql: sql ?? '', answer: (answer ?? '').trim() };
});

const db = usePostgres();
let store: SnapshotStore;

const lamp = { prefab: { name: 'lamp', version: 'abc' } };
const walker = (x: number): Row => [40, { ...at(x, 50), ...lamp }];
const CROWD = 1_500;

beforeAll(async () => {
  store = await openSnapshotStore({ url: db.databaseUrl });
  const home: Row = [1, at(50, 50)];
  await taken(store, factsOf('monday', { tick: 100 }), worldOf(new Map([[0, [home, walker(99)]]])));
  const crowd: Row[] = [
    [6, at(150, 150)],
    [41, at(110, 190)],
    [42, at(190, 110)],
  ];
  const cells = worldOf(new Map([[5, crowd]])).map((cell) =>
    cell.layer === 1 && cell.cell === 11 ? cellOf(1, 11, [[12, { energy: { level: 1 } }]]) : cell,
  );
  await taken(store, factsOf('tuesday', { tick: 120 }), cells, [flightOf(0, 1, [walker(102)])]);
});
afterAll(() => store.close());

test('the page has the five questions', () => {
  expect(questions.map(({ title }) => title)).toEqual([
    'Who is nearest?',
    'Who is within a polygon?',
    'Where are most?',
    'Where was one of them?',
    'What has changed?',
  ]);
});

test.each(questions)('$title', async ({ sql, answer }) => {
  const { rows } = await db.pool.query({ text: sql, rowMode: 'array' });
  const lines = rows.map((row: unknown[]) => row.map(String).join(' | '));
  expect(lines.join('\n')).toBe(answer);
});

test('whoever may read the views sees them, and no table', async () => {
  const [, rights = ''] = /```sql\n(create role [^`]+)```/.exec(page) ?? [];
  const client = await db.pool.connect();
  try {
    await client.query('begin');
    await client.query(rights);
    await client.query('set local role analyst');
    const { rows } = await client.query('select count(*)::int as count from history.entities');
    expect(rows[0].count).toBeGreaterThan(30);
    await expect(client.query('select * from leasehold.blob')).rejects.toThrow(/permission denied/);
  } finally {
    // Roles are the server's, not the database's.
    await client.query('rollback');
    client.release();
  }
});

test('areas and neighbours are found by the spatial index', async () => {
  const { layers, schemas } = factsOf('x');
  const only = { layers: layers.slice(0, 1), schemas, world: 'crowded' };
  expect(layers.map(({ schemaHash }) => schemaHash)).toEqual([motion.hash, metabolism.hash]);
  const cells = Array.from({ length: 16 }, (_, cell) =>
    cellOf(
      0,
      cell,
      Array.from({ length: CROWD }, (_, i): Row => {
        const id = 10_000 + cell * CROWD + i;
        return [id, at((cell % 4) * 100 + (id % 97), Math.floor(cell / 4) * 100 + (id % 89))];
      }),
    ),
  );
  await taken(store, factsOf('crowd', only), cells);
  const planOf = async (rest: string): Promise<string> => {
    const text = `explain select id, components from history.entities where snapshot = 'crowd' ${rest}`;
    const { rows } = await db.pool.query({ text, rowMode: 'array' });
    return rows.flat().join('\n');
  };
  const area = await planOf('and geometry && st_makeenvelope(10, 10, 20, 20)');
  expect(area).toMatch(/Index.* (on|using) entity_\d+_geometry/);
  const within = await planOf(
    "and st_within(geometry, st_geomfromtext('POLYGON((9 9,19 9,9 19,9 9))'))",
  );
  expect(within).toMatch(/Index.* (on|using) entity_\d+_geometry/);
  const near = await planOf('order by geometry <-> st_point(7, 7) limit 5');
  expect(near).toMatch(/Index Scan using entity_\d+_geometry/);
  const track = await planOf('and id = 12345');
  expect(track).toMatch(/entity_\d+_id/);
});
