import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { loadWorld, moduleMark, moduleVersion } from './index.ts';

const drift = join(import.meta.dirname, '..', 'fixtures', 'drift');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leasehold-module-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(drift, folder, { recursive: true });
});

const version = async () => moduleVersion(await loadWorld(folder));

test('the same files anywhere are the same version', async () => {
  expect(await version()).toMatch(/^[0-9a-f]{16}$/);
  expect(await version()).toBe(await moduleVersion(await loadWorld(drift)));
});

test('another source file is another version; manifest, tests and packages are none of it', async () => {
  const before = await version();
  mkdirSync(join(folder, 'node_modules', 'a'), { recursive: true });
  for (const file of ['world.test.ts', 'notes.md', 'node_modules/a/index.js']) {
    writeFileSync(join(folder, file), '1');
  }
  expect(await version()).toBe(before);
  writeFileSync(join(folder, 'rules.ts'), 'export {};');
  expect(await version()).not.toBe(before);
});

test('a pod with another module or other settings has another mark, which is an exact number', async () => {
  const { manifest } = await loadWorld(folder);
  const mark = moduleMark('a', manifest);
  expect(Number.isSafeInteger(mark)).toBe(true);
  expect(moduleMark('a', { ...manifest })).toBe(mark);
  expect(moduleMark('b', manifest)).not.toBe(mark);
  expect(moduleMark('a', { ...manifest, params: { birds: 2 } })).not.toBe(mark);
  const restless = { ...manifest, sleep: { idleMs: 0 } };
  expect(moduleMark('a', restless)).toBe(mark);
});
