/**
 * Goal: a disk that is full takes no snapshot by half. Method: a database on a disk of memory of its own,
 * which is filled; then there is room again.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usePostgres } from '@leasehold/testkit';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSnapshotStore, type SnapshotStore } from './index.ts';
import { at, cellOf, factsOf, type Row, taken, worldOf } from './snapshot-fixture.ts';

/** A database with PostGIS has half of it. */
const DISK = 'size=40m';
const ROW_BYTES = 200_000;
const ROWS = 6;
const TABLESPACE = `full_${randomBytes(6).toString('hex')}`;

const db = usePostgres();
const folder = mkdtempSync(join(tmpdir(), 'leasehold-disk-'));
let isMounted = false;
let name = '';
let store: SnapshotStore | undefined;

/** Why no such disk can be made here; '' when it can. */
async function reason(): Promise<string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root may mount a disk';
  const { rows } = await db.pool.query("select current_setting('data_directory') as data");
  const owner = statSync(rows[0].data, { throwIfNoEntry: false });
  if (owner === undefined) return 'the server is on another machine';
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', DISK, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return 'no disk of memory can be mounted here';
  }
  isMounted = true;
  chmodSync(folder, 0o700);
  chownSync(folder, owner.uid, owner.gid);
  return '';
}

let why = '';
beforeAll(async () => {
  why = await reason();
  if (why !== '') return;
  const url = await db.more();
  name = new URL(url).pathname.slice(1);
  // Names cannot be parameters of such statements.
  const space = pg.escapeIdentifier(TABLESPACE);
  await db.pool.query(`create tablespace ${space} location ${pg.escapeLiteral(folder)}`);
  await db.pool.query(`alter database ${pg.escapeIdentifier(name)} set tablespace ${space}`);
  store = await openSnapshotStore({ url });
});

afterAll(async () => {
  await store?.close();
  if (isMounted) {
    await db.pool.query(`drop database ${pg.escapeIdentifier(name)} with (force)`);
    await db.pool.query(`drop tablespace ${pg.escapeIdentifier(TABLESPACE)}`);
    execFileSync('/bin/umount', [folder]);
  }
  rmSync(folder, { recursive: true });
});

test('a full disk is said with its remedy, and there is no snapshot; with room there is one', async (context) => {
  if (store === undefined) return context.skip(why);
  const before = await taken(store, factsOf('before'), worldOf());
  // Text that cannot be packed.
  const big = Array.from({ length: 16 }, (_, cell) =>
    cellOf(
      0,
      cell,
      Array.from({ length: ROWS }, (_row, i): Row => {
        const text = randomBytes(ROW_BYTES).toString('base64');
        const x = (cell % 4) * 100 + 1 + i;
        return [
          1_000 + cell * ROWS + i,
          { ...at(x, Math.floor(cell / 4) * 100 + 1), note: { text, json: null, isLoud: 0 } },
        ];
      }),
    ),
  );
  const cells = [...big, ...worldOf().filter(({ layer }) => layer === 1)];
  await expect(taken(store, factsOf('big'), cells)).rejects.toMatchObject({
    code: 'DATABASE_REFUSED',
    detail: { field: 'DATABASE_URL', remedy: expect.stringContaining('disk') },
  });
  await expect(store.facts('big')).rejects.toMatchObject({ code: 'SNAPSHOT_INCOMPLETE' });
  expect(await store.verify('before')).toEqual(before);
  await store.remove('big');
  const after = await taken(store, factsOf('after'), worldOf());
  expect(after.hash).toBe(before.hash);
});
