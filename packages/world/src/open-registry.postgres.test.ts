import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileRegistry } from '@leasehold/live-store';
import { migrate, postgresRegistry, withClient } from '@leasehold/snapshot-store';
import { usePostgres } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRegistry } from './open-registry.ts';

const at = usePostgres({ prepare: migrate });
const facts = { schemaHash: 's', manifestHash: 'm', fixed: { 'space.width': 4 } };
const nothing = async () => ({});
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-home-'));
});
afterEach(async () => {
  rmSync(home, { recursive: true, force: true });
  await at.pool.query('delete from leasehold.world');
});

const filesOf = () => readdirSync(join(home, 'registry')).toSorted();

test('without a database the registry is the home, with one it is the database', async () => {
  const local = await openRegistry({ home, databaseUrl: '' });
  await local.seed('local', facts, nothing);
  expect(await fileRegistry(home).worlds()).toEqual(['local']);
  const other = join(home, 'other');
  const fleet = await openRegistry({ home: other, databaseUrl: at.databaseUrl });
  await fleet.seed('fleet', facts, nothing);
  expect(await postgresRegistry(at.databaseUrl).worlds()).toEqual(['fleet']);
  expect(existsSync(other)).toBe(false);
});

test('an empty database is migrated before it is asked', async () => {
  const url = await at.more();
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const registry = await openRegistry({ home, databaseUrl: url, log });
  expect(await registry.worlds()).toEqual([]);
  expect(lines).toEqual([expect.stringContaining('0001_worlds')]);
});

test('worlds that only the home knows are moved with all that is known of them', async () => {
  const files = fileRegistry(home);
  const ready = await files.seed('ready', facts, async () => ({ redisRunId: 'run' }));
  await files.seed('ready', facts, nothing, { replaces: 1 });
  await files.seed('cut-short', facts, () => Promise.reject(new Error('no'))).catch(() => {});
  await files.seed('gone', facts, nothing);
  await files.forget('gone');
  const were = await Promise.all(['ready', 'cut-short'].map((world) => files.read(world)));
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const place = { home, databaseUrl: at.databaseUrl, log };
  const registry = await openRegistry(place);
  expect(lines).toEqual([expect.stringMatching(/^Moved .*: cut-short, gone, ready\.$/)]);
  expect(lines[0]).not.toContain(new URL(at.databaseUrl).password);
  expect(await Promise.all(['ready', 'cut-short'].map((name) => registry.read(name)))).toEqual(
    were,
  );
  expect(ready.incarnation).toBe(1);
  expect(await registry.leftovers('ready')).toEqual([1]);
  // L2: also what is gone keeps its number.
  expect(await registry.seed('gone', facts, nothing)).toMatchObject({ incarnation: 2 });
  expect(filesOf()).toEqual(['cut-short.json.moved', 'gone.json.moved', 'ready.json.moved']);
  await openRegistry(place);
  expect(lines).toHaveLength(1);
});

test('a move that was cut short behind its transaction is ended by the next start', async () => {
  await fileRegistry(home).seed('w', facts, nothing);
  const place = { home, databaseUrl: at.databaseUrl };
  await openRegistry(place);
  renameSync(join(home, 'registry', 'w.json.moved'), join(home, 'registry', 'w.json'));
  const registry = await openRegistry(place);
  expect(await registry.read('w')).toMatchObject({ incarnation: 1 });
  expect(filesOf()).toEqual(['w.json.moved']);
});

test('who starts at once moves each world once', async () => {
  await fileRegistry(home).seed('w', facts, nothing);
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const place = { home, databaseUrl: at.databaseUrl, log };
  const all = await Promise.all([1, 2, 3].map(() => openRegistry(place)));
  expect(lines).toHaveLength(1);
  for (const registry of all) expect(await registry.worlds()).toEqual(['w']);
});

test('a world that both know differently is refused, and nothing is moved', async () => {
  const files = fileRegistry(home);
  await files.seed('w', facts, nothing);
  await files.seed('also-here', facts, nothing);
  const fleet = postgresRegistry(at.databaseUrl);
  await fleet.seed('w', facts, nothing);
  await fleet.seed('w', facts, nothing, { replaces: 1 });
  await expect(openRegistry({ home, databaseUrl: at.databaseUrl })).rejects.toMatchObject({
    code: 'INCARNATION_MISMATCH',
    message: expect.stringMatching(/world w is of incarnation 2.*of incarnation 1/),
  });
  expect(filesOf()).toEqual(['also-here.json', 'w.json']);
  expect(await fleet.worlds()).toEqual(['w']);
});

test('a world that somebody seeds in the database meanwhile is not overwritten', async () => {
  await fileRegistry(home).seed('w', facts, nothing);
  let opening: Promise<unknown> | undefined;
  const stored = async (): Promise<number> => {
    const place = { home, databaseUrl: at.databaseUrl };
    opening = openRegistry(place).catch((error: unknown) => error);
    await sleep(200);
    return 0;
  };
  await postgresRegistry(at.databaseUrl).seed('w', facts, nothing, { stored });
  expect(await opening).toMatchObject({ code: 'INCARNATION_MISMATCH' });
  expect(filesOf()).toEqual(['w.json']);
});

test('two worlds of one name and one number are told apart by when they were seeded', async () => {
  await fileRegistry(home).seed('w', facts, nothing);
  await postgresRegistry(at.databaseUrl).seed('w', facts, nothing);
  await withClient(at.databaseUrl, (client) =>
    client.query(
      `update leasehold.world set ready = jsonb_set(ready, '{seededAt}', '"2000-01-01T00:00:00Z"')`,
    ),
  );
  await expect(openRegistry({ home, databaseUrl: at.databaseUrl })).rejects.toMatchObject({
    code: 'INCARNATION_MISMATCH',
    message: expect.stringContaining('2000-01-01'),
  });
});
