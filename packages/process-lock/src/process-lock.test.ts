import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { underLock } from './index.ts';

const limits = { waitMs: 2_000, taken: (pid: string) => new Error(`process ${pid} has it`) };
let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('of many at once one is in it at a time, and nothing is left behind', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 2));
    inside--;
  };
  await Promise.all(Array.from({ length: 5 }, () => underLock(file, work, limits)));
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ['is dead', { pid: 2 ** 22 + 1, started: '' }],
  ['has a number that now belongs to another process', { pid: process.pid, started: '1' }],
])('the lock of an owner who %s is broken, by one of those who find it', async (_, owner) => {
  writeFileSync(file, JSON.stringify({ ...owner, token: 'old' }));
  let inside = 0;
  const work = async () => {
    expect(++inside).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 2));
    inside--;
  };
  await Promise.all(Array.from({ length: 5 }, () => underLock(file, work, limits)));
  expect(readdirSync(folder)).toEqual([]);
});

test('a lock that stays taken is given up with the process that has it', async () => {
  const short = { ...limits, waitMs: 50 };
  const inner = underLock(file, () => underLock(file, async () => 'never', short), limits);
  await expect(inner).rejects.toThrow(`process ${process.pid} has it`);
  expect(await underLock(file, async () => 'free again', limits)).toBe('free again');
});

test('work that throws frees the lock', async () => {
  const failing = underLock(file, () => Promise.reject(new Error('no')), limits);
  await expect(failing).rejects.toThrow('no');
  expect(existsSync(file)).toBe(false);
});
