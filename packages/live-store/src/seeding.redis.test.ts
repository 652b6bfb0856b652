import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorldAdmin } from '@leasehold/protocol';
import { layerSchema, schemaJson } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLiveStore, openWorldAdmin } from './index.ts';
import { fileRegistry } from './registry-file.ts';
import { type CellBirth, type SeedOptions, seedWorld } from './seeding.ts';

const at = useRedis();
const grid = new Grid({ kind: 'plane', width: 800, height: 800, cell: 100 });
const x = { name: 'x', kind: 'f64', initial: 0 } as const;
const schemaOf = (
  version: number,
  fields: readonly (typeof x | { name: 'y'; kind: 'f32'; initial: 0 })[],
) => layerSchema('main', [{ name: 'position', version, fields }]);
const schema = schemaOf(1, [x]);
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-seeding-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const birthOf = (text: string, count = 1): CellBirth => ({
  body: new TextEncoder().encode(text),
  idCounter: count,
  count,
});
const births = () => new Map([...Array(20).keys()].map((cell) => [cell, birthOf(`c${cell}`, 3)]));
const openAdmin = (incarnation: number): Promise<WorldAdmin> =>
  openWorldAdmin({ url: at.url, world: at.world, incarnation, layer: 'main', grid });

function optionsOf(changes: Partial<SeedOptions> = {}, facts: object = {}): SeedOptions {
  return {
    registry: fileRegistry(home),
    openAdmin,
    facts: {
      world: at.world,
      schemaHash: schema.hash,
      schemaJson: schemaJson(schema),
      manifestHash: 'm1',
      fixed: { blockCells: 4, 'space.width': 800 },
      ...facts,
    },
    blocks: grid.blocks,
    cells: async () => births(),
    fresh: false,
    sleep: async () => undefined,
    ...changes,
  };
}

async function headsOf(incarnation: number): Promise<(number | string)[]> {
  const world = { url: at.url, world: at.world, incarnation, layer: 'main', grid };
  const store = await openLiveStore(world);
  const heads = await store.heads([...Array(grid.cells).keys()]);
  await store.close();
  return heads.map((head) => ('tag' in head ? head.tag : head.seq));
}
const seeded = Array.from({ length: grid.cells }, (_, cell) => (cell < 20 ? 1 : 0));
const keys = async (): Promise<string[]> => at.redis.keys(`*{${at.world}.*`);

describe('creating a world', () => {
  test('an unknown world is seeded once, then found as it is', async () => {
    const said: string[] = [];
    const first = await seedWorld(optionsOf({ progress: ({ phase }) => said.push(phase) }));
    expect(first).toMatchObject({ isNew: true, cells: 20, entities: 60 });
    expect(first.record).toMatchObject({ state: 'ready', incarnation: 1 });
    expect(first.record.redisRunId).toMatch(/^[0-9a-f]{40}$/);
    expect(new Set(said)).toEqual(new Set(['computing', 'writing']));
    expect(await headsOf(1)).toEqual(seeded);
    const cells = () => Promise.reject(new Error('there is nothing to compute'));
    const second = await seedWorld(optionsOf({ cells }));
    expect(second).toMatchObject({ isNew: false, cells: 0, record: first.record });
  });

  test('of seeders at once one works, and all get its world', async () => {
    let computed = 0;
    const cells = async () => {
      computed += 1;
      return births();
    };
    const all = await Promise.all([1, 2, 3].map(() => seedWorld(optionsOf({ cells }))));
    expect(all.map(({ record }) => record.incarnation)).toEqual([1, 1, 1]);
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(computed).toBe(1);
  });

  test('L4 a seeding that was cut short is resumed under its incarnation', async () => {
    const broken = async (incarnation: number): Promise<WorldAdmin> => {
      const admin = await openAdmin(incarnation);
      const createCells = admin.createCells.bind(admin);
      admin.createCells = async (cells) => {
        await createCells(cells.slice(0, 7));
        throw new Error('killed here');
      };
      return admin;
    };
    await expect(seedWorld(optionsOf({ openAdmin: broken }))).rejects.toThrow('killed here');
    expect(await fileRegistry(home).read(at.world)).toMatchObject({ state: 'seeding' });
    const result = await seedWorld(optionsOf());
    expect(result).toMatchObject({ isNew: true, record: { incarnation: 1, state: 'ready' } });
    expect(await headsOf(1)).toEqual(seeded);
  });

  test('a seeding that was cut short and would now be another is begun anew', async () => {
    const broken = async (incarnation: number): Promise<WorldAdmin> => {
      const admin = await openAdmin(incarnation);
      admin.runId = () => Promise.reject(new Error('killed here'));
      return admin;
    };
    await expect(seedWorld(optionsOf({ openAdmin: broken }))).rejects.toThrow('killed here');
    const cells = async () => new Map([...births()].slice(0, 5));
    const result = await seedWorld(optionsOf({ cells }));
    expect(result.record.incarnation).toBe(2);
    expect((await headsOf(2)).filter((seq) => seq === 1)).toHaveLength(5);
    expect(await headsOf(1)).toEqual(seeded.map(() => 'NOWORLD'));
  });

  test('L4 lost replies are asked for again, and given up with the way to go on', async () => {
    let lost = 2;
    const lossy = async (incarnation: number): Promise<WorldAdmin> => {
      const admin = await openAdmin(incarnation);
      const createCells = admin.createCells.bind(admin);
      admin.createCells = async (cells) => {
        const replies = await createCells(cells);
        lost -= 1;
        return lost < 0 ? replies : replies.map(() => ({ tag: 'UNKNOWN', message: 'lost' }));
      };
      return admin;
    };
    await seedWorld(optionsOf({ openAdmin: lossy }));
    expect(await headsOf(1)).toEqual(seeded);
    lost = 1_000;
    await expect(seedWorld(optionsOf({ openAdmin: lossy, fresh: true }))).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
      detail: { field: 'cell 0', remedy: expect.stringContaining('goes on where it stopped') },
    });
    expect(await headsOf(1)).toEqual(seeded);
  });

  test('a fresh world is a new incarnation, and the old one is sealed and gone', async () => {
    await seedWorld(optionsOf());
    const result = await seedWorld(optionsOf({ fresh: true }));
    expect(result).toMatchObject({ isNew: true, record: { incarnation: 2, state: 'ready' } });
    expect(await headsOf(1)).toEqual(seeded.map(() => 'NOWORLD'));
    expect(await headsOf(2)).toEqual(seeded);
    expect(await fileRegistry(home).leftovers(at.world)).toEqual([]);
    expect((await keys()).filter((key) => key.includes(`{${at.world}.1`))).toEqual([]);
  });

  test('a module that fails to seed leaves everything as it was', async () => {
    const cells = () => Promise.reject(new Error('module threw'));
    await expect(seedWorld(optionsOf({ cells }))).rejects.toThrow('module threw');
    expect(await fileRegistry(home).read(at.world)).toBeUndefined();
    expect(await keys()).toEqual([]);
    await seedWorld(optionsOf());
    await expect(seedWorld(optionsOf({ cells, fresh: true }))).rejects.toThrow('module threw');
    expect(await headsOf(1)).toEqual(seeded);
    expect(await seedWorld(optionsOf())).toMatchObject({ isNew: false });
  });

  test('old incarnations that could not be removed are removed by the next call', async () => {
    await seedWorld(optionsOf());
    const keeping = async (incarnation: number): Promise<WorldAdmin> => {
      const admin = await openAdmin(incarnation);
      admin.forget = () => Promise.reject(new Error('killed here'));
      return admin;
    };
    const fresh = optionsOf({ openAdmin: keeping, fresh: true });
    await expect(seedWorld(fresh)).rejects.toThrow('killed here');
    expect(await headsOf(1)).toEqual(seeded);
    await seedWorld(optionsOf());
    expect(await headsOf(1)).toEqual(seeded.map(() => 'NOWORLD'));
  });
});

describe('a stored world that does not fit', () => {
  test('another fixed setting is WORLD_MISMATCH and named, and nothing changes', async () => {
    await seedWorld(optionsOf());
    const other = optionsOf({}, { manifestHash: 'm2', fixed: { blockCells: 4, 'space.width': 9 } });
    await expect(seedWorld(other)).rejects.toMatchObject({
      code: 'WORLD_MISMATCH',
      detail: {
        field: 'space.width',
        value: '9',
        remedy: expect.stringMatching(/back to 800.*--fresh/),
      },
    });
    expect(await headsOf(1)).toEqual(seeded);
    expect(await seedWorld({ ...other, fresh: true })).toMatchObject({ isNew: true });
  });

  test('a schema that reads the stored one is noted, one that cannot is refused', async () => {
    await seedWorld(optionsOf());
    const factsOf = (other: typeof schema) => ({
      schemaHash: other.hash,
      schemaJson: schemaJson(other),
    });
    const gone = layerSchema('main', []);
    await expect(seedWorld(optionsOf({}, factsOf(gone)))).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
    });
    const wider = schemaOf(2, [x, { name: 'y', kind: 'f32', initial: 0 }]);
    const { record } = await seedWorld(optionsOf({}, factsOf(wider)));
    expect(record.incarnation).toBe(1);
    expect(await fileRegistry(home).read(at.world)).toMatchObject({ schemaHash: wider.hash });
    const admin = await openAdmin(1);
    expect(await admin.getSchema(wider.hash)).toBe(schemaJson(wider));
    expect(await admin.getSchema(schema.hash)).toBe(schemaJson(schema));
    await admin.close();
  });

  test('a ready world whose blocks are not all in Redis is INCARNATION_MISMATCH', async () => {
    await seedWorld(optionsOf());
    const [block = ''] = await at.redis.keys(`{${at.world}.1.*:block`);
    await at.redis.del(block);
    const mismatch = { code: 'INCARNATION_MISMATCH', detail: { field: 'REDIS_URL' } };
    await expect(seedWorld(optionsOf())).rejects.toMatchObject(mismatch);
    const admin = await openAdmin(1);
    await admin.forget();
    await admin.close();
    await expect(seedWorld(optionsOf())).rejects.toMatchObject({
      ...mismatch,
      detail: { value: '0 of 4 blocks there', remedy: expect.stringContaining('--fresh') },
    });
    expect(await seedWorld(optionsOf({ fresh: true }))).toMatchObject({
      record: { incarnation: 2 },
    });
  });

  test('a world in Redis that the registry does not know is INCARNATION_MISMATCH', async () => {
    await seedWorld(optionsOf());
    const elsewhere = { registry: fileRegistry(join(home, 'other')) };
    await expect(seedWorld(optionsOf(elsewhere))).rejects.toMatchObject({
      code: 'INCARNATION_MISMATCH',
      detail: { field: 'LEASEHOLD_HOME', remedy: expect.stringContaining('--fresh') },
    });
    expect(await headsOf(1)).toEqual(seeded);
    const fresh = await seedWorld(optionsOf({ ...elsewhere, fresh: true }));
    expect(fresh.record.incarnation).toBe(2);
    expect(await headsOf(1)).toEqual(seeded.map(() => 'NOWORLD'));
  });

  test('a cell that is too big names itself and the way out', async () => {
    const cells = async () => new Map([[3, birthOf('x'.repeat(1024 * 1024 + 1))]]);
    await expect(seedWorld(optionsOf({ cells }))).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      detail: { field: 'cell 3', remedy: expect.stringContaining('space.cell') },
    });
  });

  test.each([
    ['block', 'createBlocks', 'createBlocks'],
    ['cell', 'putSchema', 'cell 0'],
  ] as const)('a %s that Redis has no memory for is REDIS_REFUSED', async (_, name, field) => {
    const full = async (incarnation: number): Promise<WorldAdmin> => {
      const admin = await openAdmin(incarnation);
      const act = admin[name].bind(admin) as (...args: string[]) => Promise<void>;
      admin[name] = async (...args: string[]) => {
        // The schema is still written; what comes after it is not.
        if (name === 'putSchema') await act(...args);
        await at.redis.config('SET', 'maxmemory', '1');
        if (name === 'createBlocks') await act(...args);
      };
      return admin;
    };
    try {
      await expect(seedWorld(optionsOf({ openAdmin: full }))).rejects.toMatchObject({
        code: 'REDIS_REFUSED',
        detail: { field, remedy: expect.stringContaining('memory') },
      });
    } finally {
      await at.redis.config('SET', 'maxmemory', '0');
    }
    expect(await seedWorld(optionsOf())).toMatchObject({ isNew: true, cells: 20 });
    expect(await headsOf(1)).toEqual(seeded);
  });

  test('a cell that somebody else wrote is WORLD_MISMATCH', async () => {
    const beaten = async (incarnation: number): Promise<WorldAdmin> => {
      const admin = await openAdmin(incarnation);
      const createCells = admin.createCells.bind(admin);
      admin.createCells = async (cells) => {
        await createCells([
          { cell: 4, hash: '0123456789abcdef', body: new Uint8Array(1), idCounter: 0 },
        ]);
        return createCells(cells);
      };
      return admin;
    };
    await expect(seedWorld(optionsOf({ openAdmin: beaten }))).rejects.toMatchObject({
      code: 'WORLD_MISMATCH',
      detail: { field: 'cell 4', value: 'seq 1, hash 0123456789abcdef' },
    });
    expect(await seedWorld(optionsOf({ fresh: true }))).toMatchObject({
      record: { incarnation: 2, state: 'ready' },
    });
  });
});
