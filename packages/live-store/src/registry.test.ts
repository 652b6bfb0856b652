import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRegistry } from '@leasehold/protocol/registry-suite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileRegistry } from './registry-file.ts';

const facts = { schemaHash: 's', manifestHash: 'm' };
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-registry-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

describeRegistry(
  'file',
  () => fileRegistry(home),
  () => 'w',
);

test('a file that is no registry, and a folder that cannot be, are clear errors', async () => {
  mkdirSync(join(home, 'registry'));
  for (const text of ['', '{"version":99}', '{"version":1,"last":"x"}']) {
    writeFileSync(join(home, 'registry', 'w.json'), text);
    await expect(fileRegistry(home).read('w')).rejects.toMatchObject({
      code: 'INCARNATION_MISMATCH',
      detail: { value: join(home, 'registry', 'w.json') },
    });
  }
  writeFileSync(join(home, 'file'), '');
  const nowhere = fileRegistry(join(home, 'file'));
  await expect(nowhere.seed('w', facts, async () => ({}))).rejects.toMatchObject({
    code: 'SETTING_INVALID',
  });
});

test('it lists none where nothing was seeded', async () => {
  expect(await fileRegistry(home).worlds()).toEqual([]);
  expect(await fileRegistry(join(home, 'nowhere')).worlds()).toEqual([]);
});
