/**
 * One thing that is done with a database, in a process of its own, so that its memory is known. The
 * addresses are in DATABASE_URL and REDIS_URL; the words are `take ID SIDE PER_CELL ROUND CHANGED_PART`,
 * `remove ID …`, `dump FILE`, `copy FILE`, `restore ID SIDE` and `reread ID`.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createRandom } from '@leasehold/kernel';
import { openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import { encodeCheckpoint, layerSchema, schemaJson, Table } from '@leasehold/protocol';
import { type CapturedCell, openSnapshotStore, SNAPSHOT_FORMAT } from '@leasehold/snapshot-store';
import { restoreCells } from '@leasehold/snapshots';
import { Grid } from '@leasehold/spatial';
import { Redis } from 'ioredis';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

const url = process.env['DATABASE_URL'] ?? '';
const [what, ...words] = process.argv.slice(2);
const redisUrl = process.env['REDIS_URL'] ?? '';
const CELL = 100;
const CELLS_PER_READ = 32;

/** Of the cells of a snapshot, in their order. */
const BLOBS_OF = `
select p.blob from leasehold.snapshot_part p join leasehold.snapshot s on s.number = p.snapshot
where s.id = $1 and p.part = 0 order by p.cell`;
const BLOBS = 'select bytes from leasehold.blob where number = any($1::bigint[])';

const pair = (name: string, spatial: boolean) => ({
  ...{ name, version: 1 },
  fields: ['x', 'y'].map((field) => ({ name: field, kind: 'f64' as const, initial: 0 })),
  ...(spatial && { spatial: ['x', 'y'] as const }),
});
const schema = layerSchema('motion', [pair('position', true), pair('velocity', false)]);

type World = { readonly side: number; readonly perCell: number; readonly round: number };

function facts(id: string, { side }: World) {
  const extent = side * CELL;
  return {
    ...{ id, world: 'bench', incarnation: 1, tick: 1, manifestHash: '', fixed: {} },
    format: SNAPSHOT_FORMAT,
    clock: {
      ...{ mode: 'realtime' as const, rateHz: 20, isPaused: false },
      ...{ baseMs: 0, baseTick: 0, endTick: 0 },
    },
    space: {
      ...{ kind: 'plane' as const, originX: 0, originY: 0 },
      ...{ width: extent, height: extent, cell: CELL },
    },
    layers: [{ layer: schema.layer, schemaHash: schema.hash }],
    schemas: { [schema.hash]: schemaJson(schema) },
  };
}

/** Entities of a cell move by as much as makes its content another one in each turn. */
function cellOf(cell: number, turn: number, { side, perCell, round }: World): CapturedCell {
  const random = createRandom(round * 1_000_003 + cell);
  const table = new Table(schema);
  const x = (cell % side) * CELL;
  const y = Math.floor(cell / side) * CELL;
  for (let i = 0; i < perCell; i++) {
    const row = table.append((round * side * side + cell) * perCell + i + 1, 3);
    for (const [c, columns] of table.columns.entries()) {
      for (const [f, column] of columns.entries()) {
        const start = c === 0 ? [x, y][f] : 0;
        (column as Float64Array)[row] = (start ?? 0) + random.float() * CELL * 0.9 + turn;
      }
    }
  }
  return {
    ...{ layer: 0, cell, seq: 1 + turn, hash: '0'.repeat(16), tick: 1, idCounter: perCell },
    ...{ asked: 0, outSeq: 0, cursors: [] },
    rows: encodeCheckpoint(table, { tick: 0, idCounter: 0 }),
    count: perCell,
  };
}

async function take(): Promise<unknown> {
  const [id = '', ...numbers] = words;
  const [side = 0, perCell = 0, round = 0, changed = 0] = numbers.map(Number);
  const world = { side, perCell, round };
  const every = changed > 0 ? Math.round(1 / changed) : 0;
  // Made before the clock runs: in a world they are in its store.
  const cells = Array.from({ length: side * side }, (_, cell) =>
    cellOf(cell, every > 0 && cell % every === 0 ? 1 : 0, world),
  );
  const store = await openSnapshotStore({ url });
  const startedMs = performance.now();
  const writer = await store.begin(facts(id, world));
  await writer.put(cells);
  const { entities } = await writer.finish({ cells: cells.length });
  const seconds = (performance.now() - startedMs) / 1_000;
  await store.close();
  return { seconds, entities };
}

async function remove(): Promise<unknown> {
  const store = await openSnapshotStore({ url });
  for (const id of words) await store.remove(id);
  await store.close();
  return {};
}

/** The rows as the store keeps them, without anything around them. */
async function copy(): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('create table bare (like leasehold.entity)');
  const startedMs = performance.now();
  await pipeline(
    createReadStream(words[0] ?? '', { highWaterMark: 128 * 1_024 }),
    client.query(copyFrom('copy bare from stdin (format binary)')),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  await client.query('drop table bare');
  await client.end();
  return { seconds };
}

async function dump(): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const rows = 'copy (select * from leasehold.entity) to stdout (format binary)';
  await pipeline(client.query(copyTo(rows)), createWriteStream(words[0] ?? ''));
  await client.end();
  return {};
}

/** Into an incarnation that nobody works on, as a restore does. */
async function restore(): Promise<unknown> {
  const [id = '', side = '0'] = words;
  const extent = Number(side) * CELL;
  const grid = new Grid({ kind: 'plane', width: extent, height: extent, cell: CELL });
  const at = { url: redisUrl, world: 'bench', incarnation: 1, layer: schema.layer, grid };
  const snapshots = await openSnapshotStore({ url });
  const admin = await openWorldAdmin(at);
  const store = await openLiveStore(at);
  const startedMs = performance.now();
  await admin.createBlocks();
  const layer = { admin, store, schema, older: () => undefined };
  const parts = { cells: snapshots.cells(id), flights: snapshots.flights(id), isExact: false };
  const { entities } = await restoreCells([layer], parts);
  const seconds = (performance.now() - startedMs) / 1_000;
  await admin.forget();
  await Promise.all([store.close(), admin.close(), snapshots.close()]);
  return { seconds, entities };
}

/** The same bytes read, and written as they are, each under a key of its own. */
async function reread(): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const redis = new Redis(redisUrl);
  const startedMs = performance.now();
  const { rows } = await client.query<{ blob: string }>(BLOBS_OF, [words[0]]);
  const blobs = rows.map(({ blob }) => blob);
  for (let i = 0; i < blobs.length; i += CELLS_PER_READ) {
    const some = blobs.slice(i, i + CELLS_PER_READ);
    const read = await client.query<{ bytes: Buffer }>(BLOBS, [some]);
    const pipe = redis.pipeline();
    for (const [n, { bytes }] of read.rows.entries()) pipe.set(`bench:${i + n}`, bytes);
    await pipe.exec();
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  await redis.flushall();
  redis.disconnect();
  await client.end();
  return { seconds };
}

const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
  ...{ take, remove, copy, dump },
  ...{ restore, reread },
};
const done = (await tasks[what ?? '']?.()) as object;
// In kilobytes, the most there ever were.
const rssMb = process.resourceUsage().maxRSS / 1_024;
console.log(JSON.stringify({ ...done, rssMb }));
