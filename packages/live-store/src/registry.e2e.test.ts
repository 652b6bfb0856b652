import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnNode } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileRegistry } from './registry-file.ts';
import { underRegistryLock } from './registry-lock.ts';

const fixture = new URL('./registry-seeder-fixture.ts', import.meta.url).pathname;
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-registry-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const seeder = (workMs: number, replaces = 0, schemaHash = 's') =>
  spawnNode([fixture, home, 'w', schemaHash, String(workMs), String(replaces)]);
const is = (event: string) => (line: object) => 'event' in line && line.event === event;
const diary = () =>
  readFileSync(join(home, 'diary'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; pid: number; incarnation: number });
const begun = () => diary().filter(({ event }) => event === 'begin');

test('of seeders at once exactly one works, and all get its result', async () => {
  const all = Array.from({ length: 5 }, () => seeder(200));
  const ends = await Promise.all(all.map((one) => one.exited));
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
  expect(begun()).toHaveLength(1);
  expect(all.map((one) => one.lines.at(-1))).toMatchObject(
    all.map(() => ({ event: 'ready', incarnation: 1 })),
  );
  expect(readdirSync(join(home, 'registry'))).toEqual(['w.json']);
});

test('a seeder that is killed leaves its incarnation to the ones that wait', async () => {
  const first = seeder(60_000);
  await first.waitFor(is('begin'));
  const others = Array.from({ length: 4 }, () => seeder(100));
  expect(await fileRegistry(home).read('w')).toMatchObject({ state: 'seeding', incarnation: 1 });
  first.kill('SIGKILL');
  await Promise.all(others.map((one) => one.exited));
  expect(begun().map(({ incarnation }) => incarnation)).toEqual([1, 1]);
  expect(others.map((one) => one.lines.at(-1))).toMatchObject(
    others.map(() => ({ event: 'ready', incarnation: 1 })),
  );
  expect(await fileRegistry(home).leftovers('w')).toEqual([]);
});

test('seeders killed one after the other never have two at work', async () => {
  for (let round = 0; round < 3; round++) {
    const one = seeder(60_000);
    const other = seeder(60_000);
    const first = await Promise.race([one.waitFor(is('begin')), other.waitFor(is('begin'))]);
    const [owner, waiter] = first['pid'] === one.pid ? [one, other] : [other, one];
    expect(waiter.lines).toEqual([]);
    owner.kill('SIGKILL');
    await waiter.waitFor(is('begin'));
    waiter.kill('SIGKILL');
    await Promise.all([one.exited, other.exited]);
  }
  const last = seeder(0);
  expect(await last.exited).toMatchObject({ code: 0 });
  expect(new Set(begun().map(({ incarnation }) => incarnation))).toEqual(new Set([1]));
});

test('two who replace the same incarnation make one new one', async () => {
  await seeder(0).exited;
  const all = [seeder(200, 1), seeder(200, 1), seeder(200, 1)];
  await Promise.all(all.map((one) => one.exited));
  expect(begun().map(({ incarnation }) => incarnation)).toEqual([1, 2]);
  expect(await fileRegistry(home).read('w')).toMatchObject({ state: 'ready', incarnation: 2 });
  expect(await fileRegistry(home).leftovers('w')).toEqual([1]);
});

test('a lock that stays taken names its owner', async () => {
  const file = join(home, 'lock');
  const inner = underRegistryLock(file, () => underRegistryLock(file, async () => 'never', 100));
  await expect(inner).rejects.toMatchObject({
    code: 'WORLD_NOT_READY',
    detail: { remedy: expect.stringContaining(String(process.pid)) },
  });
  expect(await underRegistryLock(file, async () => 'free again', 100)).toBe('free again');
});
