/** What sleeps of earlier incarnations goes by and by, and nobody waits for it. */
import type { ColdCell } from '@leasehold/protocol';
import { usePostgres } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ColdCells } from './cold-cells.ts';
import { dropColdCells } from './cold-drop.ts';
import { openPool } from './connection.ts';
import { migrate } from './migrate.ts';

const WORLD = 'many';
const ROWS = 2_000;
const SOON = { timeout: 40_000, interval: 100 };
const PLACE = { world: WORLD, incarnation: 2, layer: 'main', layers: ['main'] };
const CELL: ColdCell = {
  ...{ cell: 7, mark: 1, seq: 1, hash: 'a', tick: 1, posted: [], geo: [] },
  ...{ head: new Map([['epoch', '1']]), checkpoint: new Uint8Array(4) },
};

const postgres = usePostgres();
let cold: ColdCells | undefined;

beforeEach(async () => {
  await migrate(postgres.databaseUrl);
  for (const [world, incarnation] of [
    [WORLD, 1],
    [WORLD, 3],
    ['other', 1],
  ] as const) {
    await postgres.pool.query(
      `insert into leasehold.cold_cell
         (world, incarnation, layer, cell, mark, seq, hash, tick, head, posted, geo, bytes)
       select $1, $2, 'main', n, 1, 1, 'a', 1, '{}', '{}', '{}', '' from generate_series(1, $3) n`,
      [world, incarnation, ROWS],
    );
  }
});
afterEach(async () => {
  await cold?.close();
  await postgres.pool.query('drop function deleting cascade; truncate leasehold.cold_cell');
});

/** `body` in plpgsql runs for each row, or for each statement with all it has deleted as `gone`. */
async function whenDeleting(each: 'row' | 'statement', body: string): Promise<void> {
  const gone = each === 'row' ? '' : 'referencing old table as gone';
  const moment = each === 'row' ? 'before' : 'after';
  await postgres.pool.query(
    `create function deleting() returns trigger language plpgsql as
       $$ begin ${body} return old; end $$;
     create trigger deleting ${moment} delete on leasehold.cold_cell ${gone}
       for each ${each} execute function deleting()`,
  );
}

async function left(): Promise<Record<string, number>> {
  const { rows } = await postgres.pool.query(
    `select world || ' ' || incarnation as of, count(*)::int as rows
       from leasehold.cold_cell group by 1`,
  );
  return Object.fromEntries(rows.map(({ of, rows }) => [of, rows]));
}

test('cells leave and wake while more rows go than a statement may drop', async () => {
  // All of them take longer than a statement of the store may.
  await whenDeleting('row', 'perform pg_sleep(0.003);');
  cold = new ColdCells({ ...PLACE, url: postgres.databaseUrl, isCurrent: true });
  await cold.put([CELL]);
  expect(await cold.get([CELL])).toMatchObject([{ hash: 'a', checkpoint: CELL.checkpoint }]);
  expect((await left())[`${WORLD} 1`]).toBeGreaterThan(ROWS / 2);
  await expect
    .poll(left, SOON)
    .toEqual({ [`${WORLD} 2`]: 1, [`${WORLD} 3`]: ROWS, 'other 1': ROWS });
});

test('what cannot be dropped is told, and tried again in smaller pieces', async () => {
  await whenDeleting(
    'statement',
    `if (select count(*) from gone) > 100 then raise exception 'too many'; end if;`,
  );
  const faults: string[] = [];
  const onDropFault = ({ message }: Error): unknown => faults.push(message);
  cold = new ColdCells({ ...PLACE, url: postgres.databaseUrl, isCurrent: true, onDropFault });
  await cold.put([CELL]);
  await expect.poll(async () => (await left())[`${WORLD} 1`], SOON).toBeUndefined();
  expect(faults).toEqual(['too many', 'too many']);
});

test('several who drop at once share the work', async () => {
  await whenDeleting('row', 'perform pg_sleep(0.0005);');
  const faults: Error[] = [];
  const onDropFault = (error: Error): unknown => faults.push(error);
  const facts = { ...PLACE, url: postgres.databaseUrl, isCurrent: true, onDropFault };
  const others = [1, 2, 3].map(() => new ColdCells(facts));
  await Promise.all(others.map((each) => each.get([CELL])));
  await expect.poll(async () => (await left())[`${WORLD} 1`], SOON).toBeUndefined();
  await Promise.all(others.map((each) => each.close()));
  expect(faults).toEqual([]);
});

test('a world is forgotten whole, whatever one statement may take', async () => {
  await whenDeleting('row', 'perform pg_sleep(0.001);');
  const pool = await openPool(postgres.databaseUrl, { connectionsMax: 1, statementMsMax: 1_500 });
  try {
    expect(await dropColdCells({ pool, url: postgres.databaseUrl }, WORLD, 3)).toBe(ROWS);
  } finally {
    await pool.end();
  }
  expect(await left()).toEqual({ [`${WORLD} 3`]: ROWS, 'other 1': ROWS });
});
