import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LeaseholdError } from '@leasehold/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadWorld, manifestHashOf, worldSchemaJson } from './index.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const driftModule = join(fixtures, 'drift', 'world.ts');
let scratch = '';
let made = 0;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'leasehold-world-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder with this manifest. */
function folderOf(manifest: string): string {
  const folder = join(scratch, `w${++made}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'world.yaml'), manifest);
  return folder;
}

const good = (more = ''): string =>
  `world: w\nmodule: ${driftModule}\nspace: {kind: plane, width: 9, height: 9, cell: 3}\n${more}`;

async function refusal(folder: string): Promise<LeaseholdError> {
  try {
    await loadWorld(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(LeaseholdError);
    const refused = error as LeaseholdError;
    // Whatever was wrong, the message alone tells the key and the way out.
    expect(refused.detail.remedy).toMatch(/[.?]$/);
    return refused;
  }
  throw new Error('the world was accepted');
}

describe('a good world', () => {
  test('is loaded with every default in its place', async () => {
    const world = await loadWorld(join(fixtures, 'drift'));
    expect(world.manifest).toEqual({
      world: 'drift',
      module: 'world.ts',
      space: { kind: 'torus', width: 400, height: 300, cell: 100 },
      blockCells: 4,
      margin: 0.02,
      tickHz: 20,
      mode: 'realtime',
      seed: 1,
      layers: { main: ['position', 'velocity'] },
      params: {},
      lease: { ttlMs: 2_000, graceMs: 500 },
      sleep: { idleMs: 300_000, when: 'empty' },
      index: { resolution: 25 },
    });
    expect(world.grid.cells).toBe(12);
    expect(world.simulation.systems.map(({ name }) => name)).toEqual(['drift']);
    expect(world.folder).toBe(join(fixtures, 'drift'));
  });

  test('may say everything itself', async () => {
    const { manifest, grid } = await loadWorld(
      folderOf(
        good(
          'blockCells: 2\nmargin: 0.1\ntickHz: 0.5\nmode: lockstep\nseed: 4294967295\n' +
            'layers: {moving: [velocity], main: [position]}\nparams: {deep: {list: [1, a]}}\n' +
            'lease: {ttlMs: 300}\nsleep: {idleMs: 0, when: still}\nindex: {resolution: 0.5}\n',
        ),
      ),
    );
    expect(manifest).toMatchObject({
      mode: 'lockstep',
      seed: 4_294_967_295,
      layers: { moving: ['velocity'], main: ['position'] },
      params: { deep: { list: [1, 'a'] } },
      lease: { ttlMs: 300, graceMs: 500 },
      sleep: { idleMs: 0, when: 'still' },
    });
    expect([grid.blockCells, grid.margin]).toEqual([2, 0.1]);
    const all = await loadWorld(folderOf(good('layers: {base: all}')));
    expect(all.manifest.layers).toEqual({ base: ['position', 'velocity'] });
  });

  test('has a hash of what a stored world cannot change, and of nothing else', async () => {
    const hashOf = async (manifest: string) => (await loadWorld(folderOf(manifest))).manifestHash;
    const base = await hashOf(good());
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(await hashOf(good('tickHz: 5\nparams: {a: 1}\nmode: lockstep'))).toBe(base);
    for (const other of ['seed: 2', 'blockCells: 2']) {
      expect(await hashOf(good(other))).not.toBe(base);
    }
    expect(await hashOf(good().replace('cell: 3', 'cell: 1'))).not.toBe(base);
    expect(await hashOf(good().replace('world: w', 'world: v'))).not.toBe(base);
    expect(await hashOf(good('layers: {base: [position, velocity]}'))).toBe(base);
    const two = await hashOf(good('layers: {a: [position], b: [velocity]}'));
    expect(two).not.toBe(base);
    expect(await hashOf(good('layers: {b: [velocity], a: [position]}'))).not.toBe(two);
  });

  test('has the hash that its name and its settings make, as a registry keeps them', async () => {
    const hashOf = async (manifest: string) => (await loadWorld(folderOf(manifest))).manifestHash;
    const size = { 'space.width': 9, 'space.height': 9, 'space.cell': 3 };
    const fixed = { 'space.kind': 'plane', ...size, blockCells: 4, seed: 1 };
    expect(manifestHashOf('w', fixed)).toBe(await hashOf(good()));
    expect(manifestHashOf('v', fixed)).toBe(await hashOf(good().replace('world: w', 'world: v')));
    const two = await hashOf(good('seed: 7\nlayers: {a: [position], b: [velocity]}'));
    expect(manifestHashOf('w', { ...fixed, seed: 7, layers: 'a, b' })).toBe(two);
    const round = good().replace(/\{.*\}/, '{kind: wgs84, cell: 10}');
    const sphere = { 'space.kind': 'wgs84', 'space.cell': 10, blockCells: 4, seed: 1 };
    expect(manifestHashOf('w', sphere)).toBe(await hashOf(round));
  });

  test('may lie outside this repository and import ours by name', { timeout: 20_000 }, async () => {
    const folder = join(scratch, 'elsewhere');
    cpSync(join(fixtures, 'drift'), folder, { recursive: true });
    // A real process: the test runner has a resolution of its own.
    const script = `
      const { loadWorld } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
      const { simulation } = await loadWorld(${JSON.stringify(folder)});
      process.stdout.write(simulation.systems[0].name);`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      script,
    ]);
    expect(stdout).toBe('drift');
  });
});

describe('a folder', () => {
  test('that is not there is refused', async () => {
    const folder = join(scratch, 'nowhere');
    expect(await refusal(folder)).toMatchObject({
      code: 'WORLD_MISSING',
      message: `the world folder ${folder} is not there`,
      detail: { field: 'WORLD_FOLDER', value: folder },
    });
  });

  test('that is a file is refused', async () => {
    expect((await refusal(driftModule)).message).toContain('is not a folder');
  });

  test('without a manifest is refused', async () => {
    const { code, detail } = await refusal(fixtures);
    expect([code, detail.field]).toEqual(['WORLD_MISSING', 'world.yaml']);
  });
});

type Case = [string, { manifest: string; code: string; field: string; says: RegExp }];
const cases: Case[] = [
  [
    'a wrong type',
    {
      manifest: good('tickHz: fast'),
      code: 'MANIFEST_INVALID',
      field: 'tickHz',
      says: /line 4: tickHz: "fast" is not a number from 0\.1 to 120\. Use/,
    },
  ],
  [
    'a value out of range',
    {
      manifest: good('lease:\n  ttlMs: 100'),
      code: 'MANIFEST_INVALID',
      field: 'lease.ttlMs',
      says: /line 5: lease\.ttlMs: 100 is not a whole number from 300 to 60000/,
    },
  ],
  [
    'an unknown key',
    {
      manifest: good('tickhz: 20'),
      code: 'MANIFEST_INVALID',
      field: 'tickhz',
      says: /line 4: tickhz: is no key that is known here\. Did you mean tickHz\?/,
    },
  ],
  [
    'an unknown key that resembles none',
    {
      manifest: good('colour: red'),
      code: 'MANIFEST_INVALID',
      field: 'colour',
      says: /Known here: world, module, space/,
    },
  ],
  [
    'an unknown key deeper down',
    {
      manifest: good('lease: {ttl_ms: 5000}'),
      code: 'MANIFEST_INVALID',
      field: 'lease.ttl_ms',
      says: /Did you mean ttlMs\?/,
    },
  ],
  [
    'a missing key',
    {
      manifest: good().replace('world: w\n', ''),
      code: 'MANIFEST_INVALID',
      field: 'world',
      says: /world: is missing\. Add world: a name of 1 to 64/,
    },
  ],
  [
    'a name with a brace',
    {
      manifest: good().replace('world: w', "world: 'w{1}'"),
      code: 'NAME_INVALID',
      field: 'world',
      says: /line 1: world: "w\{1\}" is not a name of 1 to 64 letters/,
    },
  ],
  [
    'a layer name with a brace',
    {
      manifest: good("layers: {'a}': all}"),
      code: 'NAME_INVALID',
      field: 'layers.a}',
      says: /line 4: layers\.a\}: "a\}" is not a name/,
    },
  ],
  [
    'a cell of 0',
    {
      manifest: good().replace('cell: 3', 'cell: 0'),
      code: 'SPACE_INVALID',
      field: 'space.cell',
      says: /line 3: space\.cell: 0 is not a number above 0/,
    },
  ],
  [
    'a torus of two and a half cells',
    {
      manifest: good().replace('kind: plane', 'kind: torus').replace('cell: 3', 'cell: 4'),
      code: 'SPACE_INVALID',
      field: 'space.width',
      says: /line 3: space\.width: 9 cannot be joined at the edges with cells of 4\. Use .* such as 12/,
    },
  ],
  [
    'more cells than a world can have',
    {
      manifest: good().replace('cell: 3', 'cell: 0.001'),
      code: 'SPACE_INVALID',
      field: 'space.cell',
      says: /makes 81000000 cells of at most 1048576\. Use cells of at least/,
    },
  ],
  [
    'an unknown kind of space',
    {
      manifest: good().replace('kind: plane', 'kind: cube'),
      code: 'MANIFEST_INVALID',
      field: 'space.kind',
      says: /space\.kind: "cube" is not one of plane, torus, wgs84/,
    },
  ],
  [
    'a width on a globe',
    {
      manifest: good().replace('kind: plane', 'kind: wgs84'),
      code: 'MANIFEST_INVALID',
      field: 'space.width',
      says: /space\.width: is no key that is known here/,
    },
  ],
  [
    'an unknown component in a layer',
    {
      manifest: good('layers: {main: [position, velocty]}'),
      code: 'MANIFEST_INVALID',
      field: 'layers.main',
      says: /"velocty" is no component of the simulation\. Did you mean velocity\?/,
    },
  ],
  [
    'a component in two layers',
    {
      manifest: good('layers: {main: all, more: [velocity]}'),
      code: 'MANIFEST_INVALID',
      field: 'layers.more',
      says: /"velocity" is already in the layer main/,
    },
  ],
  [
    'a component in no layer',
    {
      manifest: good('layers: {main: [position]}'),
      code: 'MANIFEST_INVALID',
      field: 'layers',
      says: /the component velocity is in no layer/,
    },
  ],
  [
    'a layer that is no list',
    {
      manifest: good('layers: {main: 3}'),
      code: 'MANIFEST_INVALID',
      field: 'layers.main',
      says: /3 is not a list of component names/,
    },
  ],
  [
    'text that is no YAML',
    {
      manifest: good('params: {a: [1, 2}'),
      code: 'MANIFEST_INVALID',
      field: 'world.yaml',
      says: /line 4: world\.yaml: /,
    },
  ],
  [
    'a key given twice',
    {
      manifest: good('seed: 1\nseed: 2'),
      code: 'MANIFEST_INVALID',
      field: 'world.yaml',
      says: /line 5: world\.yaml: Map keys must be unique/,
    },
  ],
  [
    'an empty manifest',
    {
      manifest: '',
      code: 'MANIFEST_INVALID',
      field: 'world.yaml',
      says: /null is not keys and values/,
    },
  ],
  [
    'aliases without end',
    {
      manifest: good(
        `params:\n  a: &a [x, x]\n${'bcdefghi'
          .split('')
          .map((k, i) => `  ${k}: &${k} [${`*${'abcdefgh'[i]}, `.repeat(9)}]`)
          .join('\n')}`,
      ),
      code: 'MANIFEST_INVALID',
      field: 'world.yaml',
      says: /alias/,
    },
  ],
  [
    'a module that is not there',
    {
      manifest: good().replace(driftModule, 'wrld.ts'),
      code: 'WORLD_MISSING',
      field: 'module',
      says: /the simulation module .*wrld\.ts is not there/,
    },
  ],
  [
    'a module that throws when it is imported',
    {
      manifest: good().replace(driftModule, join(fixtures, 'throwing.ts')),
      code: 'MODULE_INVALID',
      field: 'module',
      says: /cannot be loaded: Error: the tide is out/,
    },
  ],
  [
    'a module without a default export',
    {
      manifest: good().replace(driftModule, join(fixtures, 'undefaulted.ts')),
      code: 'MODULE_INVALID',
      field: 'module',
      says: /has no default export/,
    },
  ],
  [
    'a module whose default export is no simulation',
    {
      manifest: good().replace(driftModule, join(fixtures, 'plain-object.ts')),
      code: 'MODULE_INVALID',
      field: 'module',
      says: /has a default export that is no simulation/,
    },
  ],
];

describe('a manifest', () => {
  test.each(cases)('with %s is refused by key, line and remedy', async (_, expected) => {
    const { code, detail, message } = await refusal(folderOf(expected.manifest));
    expect(message).toMatch(expected.says);
    expect([code, detail.field]).toEqual([expected.code, expected.field]);
  });

  test('with several faults tells them all at once', async () => {
    const folder = folderOf(
      "world: 'a b'\nmodle: x.ts\nspace: {kind: plane, width: 9, height: 9, cell: 0}\ntickHz: 500\n",
    );
    const { code, message } = await refusal(folder);
    expect(code).toBe('MANIFEST_INVALID');
    expect(message.split('\n').slice(1).sort()).toEqual([
      '  line 1: world: "a b" is not a name of 1 to 64 letters, digits, _ or -. Use a name of 1 to 64 letters, digits, _ or -.',
      '  line 2: modle: is no key that is known here. Did you mean module?',
      '  line 3: space.cell: 0 is not a number above 0. Use a number above 0.',
      '  line 4: tickHz: 500 is not a number from 0.1 to 120. Use a number from 0.1 to 120.',
      '  module: is missing. Add module: a text.',
    ]);
    expect(message.split('\n')[0]).toMatch(/world\.yaml has 5 faults:$/);
  });

  test('that is hopeless tells twenty faults and how many more', async () => {
    const keys = Array.from({ length: 30 }, (_, i) => `zzzz${i}: 1`).join('\n');
    expect((await refusal(folderOf(good(keys)))).message).toMatch(/\n {2}and 10 more\.$/);
  });
});

describe('a module', () => {
  test("that throws is the refusal's cause", async () => {
    const folder = folderOf(good().replace(driftModule, join(fixtures, 'throwing.ts')));
    expect((await refusal(folder)).cause).toMatchObject({ message: 'the tide is out' });
  });

  test('that declares something wrongly keeps the refusal of the declaration', async () => {
    const folder = folderOf(good().replace(driftModule, join(fixtures, 'misdeclared.ts')));
    const { code, message } = await refusal(folder);
    expect(['NAME_INVALID', 'COMPONENT_INVALID']).toContain(code);
    expect(message).toContain('po{s}');
  });
});

test('the JSON schema for editors tells every key, its range and its default', () => {
  const schema = JSON.parse(worldSchemaJson()) as {
    required: string[];
    additionalProperties: boolean;
    properties: Record<string, { description?: string; default?: unknown; minimum?: number }>;
  };
  expect(schema.required).toEqual(['world', 'module', 'space']);
  expect(schema.additionalProperties).toBe(false);
  expect(schema.properties['tickHz']).toMatchObject({ default: 20, minimum: 0.1, maximum: 120 });
  expect(JSON.stringify(schema.properties['space'])).toContain('"const":"wgs84"');
});
