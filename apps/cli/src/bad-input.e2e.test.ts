/**
 * Bad input, as a user meets it: each is refused with exit code 2 and one clear block that names the
 * field, its value and the remedy, before anything is started; nothing that is stored changes.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import {
  canStartRedis,
  connectRedis,
  eventually,
  type RedisServer,
  startRedis,
  useRedis,
} from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Env, type Fault, FLOCKING, User } from './command-fixture.ts';

const MANIFEST = `world: drift
module: world.ts
space: {kind: plane, width: 40, height: 40, cell: 10}
params: {}
`;

/** A module of one component that is somewhere, one that is not, and these systems. */
const moduleOf = (systems: string, components = '[Position, Power]'): string => `
import { component, f64, i32, simulation, system } from '@leasehold/sdk';
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Power = component('power', 1, { n: i32 });
const Alien = component('alien', 1, { n: i32 });
export default simulation({
  components: ${components},
  systems: [${systems}],
  seed({ spawn }) {
    for (let x = 5; x < 40; x += 10) spawn(Position({ x, y: 5 }), Power());
  },
});
`;

const DRIFT = `system({ name: 'drift', writes: { position: Position },
  each({ position }) { position.y += 0.001; } })`;

type Case = {
  readonly manifest?: string;
  readonly systems?: string;
  readonly module?: string;
  readonly code: string;
  readonly field: RegExp;
  readonly value: RegExp;
  readonly says: RegExp;
  readonly remedy: RegExp;
};

const folders: Readonly<Record<string, Case>> = {
  'a manifest with a wrong type': {
    manifest: `${MANIFEST}tickHz: fast\n`,
    code: 'MANIFEST_INVALID',
    field: /^tickHz$/,
    value: /"fast"/,
    says: /line 5: tickHz: "fast" is not a number/,
    remedy: /Use a number/,
  },
  'an unknown key': {
    manifest: `${MANIFEST}tickhz: 20\n`,
    code: 'MANIFEST_INVALID',
    field: /^tickhz$/,
    value: /20/,
    says: /line 5/,
    remedy: /Did you mean tickHz\?/,
  },
  'a cell of 0': {
    manifest: MANIFEST.replace('cell: 10', 'cell: 0'),
    code: 'SPACE_INVALID',
    field: /^space\.cell$/,
    value: /^0$/,
    says: /line 3/,
    remedy: /above 0/,
  },
  'a world name with braces': {
    manifest: MANIFEST.replace('world: drift', "world: '{drift}'"),
    code: 'NAME_INVALID',
    field: /^world$/,
    value: /\{drift\}/,
    says: /line 1/,
    remedy: /letters/,
  },
  'two systems that write one component in no order': {
    systems: `${DRIFT}, ${DRIFT.replace("'drift'", "'fall'")}`,
    code: 'SYSTEM_CONFLICT',
    field: /position/,
    value: /drift, fall/,
    says: /drift.*fall/,
    remedy: /after: \['drift'\]/,
  },
  'an unknown component in a query': {
    systems: `system({ name: 'odd', reads: { position: Position }, with: [Alien], each() {} })`,
    code: 'COMPONENT_UNKNOWN',
    field: /odd/,
    value: /alien/,
    says: /odd.*alien/,
    remedy: /components/,
  },
  'a value of another kind than its field': {
    module: moduleOf(DRIFT).replace('Power());', "Power({ n: 'much' }));"),
    code: 'FIELD_KIND_MISMATCH',
    field: /power\.n/,
    value: /much/,
    says: /power\.n/,
    remedy: /integer/,
  },
  'a module that exports no simulation': {
    module: 'export default 1;\n',
    code: 'MODULE_INVALID',
    field: /^module$/,
    value: /world\.ts/,
    says: /no simulation/,
    remedy: /simulation\(/,
  },
  'a radius above one cell': {
    systems: `system({ name: 'near', writes: { power: Power },
      neighbours: { radius: 11, reads: { position: Position } }, each() {} })`,
    code: 'RADIUS_TOO_LARGE',
    field: /near/,
    value: /11/,
    says: /near.*11.*9\.6/,
    remedy: /larger cells/,
  },
};

/** Everything in Redis, as one hash. */
async function contentOf(redis: ReturnType<typeof connectRedis>): Promise<string> {
  const hash = createHash('sha256');
  for (const key of (await redis.keys('*')).sort()) {
    hash.update(key).update((await redis.dumpBuffer(key)) ?? '');
  }
  return hash.digest('hex');
}

describe('bad input', () => {
  const at = useRedis();
  let user: User;
  const servers: RedisServer[] = [];

  beforeAll(async () => {
    user = await User.open({ REDIS_URL: at.url });
  });

  afterAll(async () => {
    for (const server of servers) await server.stop();
    await user.close();
  });

  /** The command is refused, and what Redis holds is as it was. */
  async function refused(args: readonly string[], env: Env = {}): Promise<Fault> {
    const before = await contentOf(at.redis);
    const { code, fault } = await user.json(args, env);
    expect([code, fault?.code ?? 'accepted']).toEqual([2, expect.stringMatching(/^[A-Z_]+$/)]);
    for (const part of [fault.message, fault.field, fault.value, fault.remedy]) {
      expect(part).toMatch(/\S/);
    }
    expect(await contentOf(at.redis)).toBe(before);
    return fault;
  }

  async function server(...args: string[]): Promise<RedisServer> {
    const started = await startRedis({ args });
    servers.push(started);
    return started;
  }

  // Each is refused before anything is written, so they may be refused side by side.
  test.concurrent.each(Object.entries(folders))('a world folder: %s', async (_, wrong) => {
    const { manifest = MANIFEST, systems = DRIFT, module = moduleOf(systems) } = wrong;
    const folder = await user.folder('bad', { 'world.yaml': manifest, 'world.ts': module });
    const fault = await refused(['run', folder]);
    expect(fault).toEqual({
      code: wrong.code,
      message: expect.stringMatching(wrong.says),
      field: expect.stringMatching(wrong.field),
      value: expect.stringMatching(wrong.value),
      remedy: expect.stringMatching(wrong.remedy),
    });
  });

  test('a world folder: for people it is one block on stderr, without a stack of our code', async () => {
    const folder = join(user.home, 'nowhere');
    const fault = await refused(['run', folder]);
    expect(fault).toMatchObject({ code: 'WORLD_MISSING', value: folder });
    const run = user.leasehold(['run', folder]);
    await run.exited;
    expect(run.stdout).toBe('');
    expect(run.stderr.trim().split('\n')).toEqual([
      `error ${fault.message}`,
      `  field  ${fault.field}`,
      `  value  ${fault.value}`,
      `  remedy ${fault.remedy}`,
      `  code   ${fault.code}`,
    ]);
  });

  test('Redis: nobody at the address', async () => {
    const fault = await refused(['run', FLOCKING], { REDIS_URL: 'redis://127.0.0.1:1' });
    expect(fault).toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(fault.remedy).toContain('REDIS_URL=');
  });

  test('Redis: older than 7.0', async () => {
    const old = await oldRedis();
    const { port } = old.address() as { readonly port: number };
    const fault = await refused(['run', FLOCKING], { REDIS_URL: `redis://127.0.0.1:${port}` });
    expect(fault).toMatchObject({ code: 'REDIS_TOO_OLD', value: '6.2.0' });
    expect(fault.remedy).toContain('7.0');
    old.close();
  });

  describe.skipIf(!canStartRedis())('(needs a redis-server program)', () => {
    test('Redis: a wrong password is refused and never shown', async () => {
      const { url } = await server('--requirepass', 'secret');
      const fault = await refused(['run', FLOCKING], { REDIS_URL: url.replace('//', '//:guess@') });
      expect(fault).toMatchObject({ code: 'REDIS_AUTH' });
      expect(JSON.stringify(fault)).not.toContain('guess');
      expect(fault.remedy).toContain('REDIS_URL=');
    });

    test('Redis: one that evicts', async () => {
      const { url } = await server('--maxmemory-policy', 'allkeys-lru');
      const fault = await refused(['run', FLOCKING], { REDIS_URL: url });
      expect(fault).toMatchObject({ code: 'REDIS_EVICTS', value: 'maxmemory-policy allkeys-lru' });
      expect(fault.remedy).toContain('noeviction');
    });

    test('Redis: a read-only replica', async () => {
      const primary = await server();
      const replica = await startRedis({ replicaOf: primary.port });
      servers.push(replica);
      const fault = await refused(['run', FLOCKING], { REDIS_URL: replica.url });
      expect(fault).toMatchObject({ code: 'REDIS_READONLY' });
      expect(fault.remedy).toMatch(/primary/i);
    });
  });

  test('a stored world: of another home, Redis, schema or setting; unharmed, it goes on', async () => {
    const files = { 'world.yaml': MANIFEST, 'world.ts': moduleOf(DRIFT) };
    const folder = await user.folder('stored', files);
    expect((await user.json(['run', folder, '--seconds', '0.5'])).code).toBe(0);

    const home = await refused(['run', folder, '--home', join(user.home, 'other')]);
    expect(home).toMatchObject({ code: 'INCARNATION_MISMATCH', field: 'LEASEHOLD_HOME' });
    expect(home.remedy).toContain('LEASEHOLD_HOME');

    if (canStartRedis()) {
      const { url } = await server();
      const other = await refused(['run', folder], { REDIS_URL: url });
      expect(other).toMatchObject({ code: 'INCARNATION_MISMATCH', field: 'REDIS_URL' });
      expect(other.remedy).toContain('--fresh');
      const redis = connectRedis(url);
      expect(await redis.dbsize()).toBe(0);
      redis.disconnect();
    }

    const changed = moduleOf(DRIFT).replace("'power', 1, { n: i32 }", "'power', 1, { n: f64 }");
    const schema = await refused([
      'run',
      await user.folder('changed', { ...files, 'world.ts': changed }),
    ]);
    expect(schema).toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' });
    expect(schema.message).toContain('power');
    expect(schema.remedy).toMatch(/version|--fresh/);

    const seed = await refused(['run', folder, '--seed', '9']);
    expect(seed).toMatchObject({ code: 'WORLD_MISMATCH', field: 'seed', value: '9' });
    expect(seed.remedy).toContain('--fresh');

    // A pod of its own says what is in its way, and leaves the world alone.
    const taken = createServer().listen(0, '127.0.0.1');
    await eventually(() => taken.address() !== null);
    const { port } = taken.address() as { readonly port: number };
    const pod = user.pod({ WORLD_FOLDER: folder, PORT: String(port) });
    expect((await pod.exited).code).toBe(1);
    for (const part of ['PORT_IN_USE', String(port), 'PORT']) expect(pod.stdout).toContain(part);
    taken.close();

    const { report } = await user.json(['run', folder, '--seconds', '0.5']);
    expect(report).toMatchObject({ continued: true, entitiesEnd: 4, exitCode: 0 });
  });

  const failing: readonly [string, string, RegExp][] = [
    ['a position that is no number', 'position.x = Number.NaN;', /SPATIAL_NOT_FINITE.*position\.x/],
    ['a system that throws', "throw new RangeError('too far');", /SYSTEM_FAILED.*too far/],
  ];
  test.each(failing)(
    '%s: its cell alone is frozen, entity and system are named',
    async (...row) => {
      const [, act, says] = row;
      const systems = `system({ name: 'stray', writes: { position: Position },
      each({ position }, { tick }) {
        position.y += 0.001;
        if (tick === 10 && position.x > 30) { ${act} }
      } })`;
      const world = `stray${act.length}`;
      const files = { 'world.yaml': MANIFEST.replace('drift', world) };
      const folder = await user.folder(world, { ...files, 'world.ts': moduleOf(systems) });
      const { code, report, stderr } = await user.json(['run', folder, '--seconds', '2']);
      expect(report).toMatchObject({ frozenCells: 1, lost: 0, duplicated: 0, violations: [] });
      expect([code, report.entitiesEnd]).toEqual([0, 4]);
      // The cell stays where its last good tick left it; others go on.
      expect(report.ticks).toBeGreaterThan(20);
      for (const said of [stderr, JSON.stringify(report.frozen)]) {
        expect(said).toMatch(says);
        expect(said).toMatch(/stray.*entity 12884901889 in cell 3 at tick 10/);
      }
      // Once the module is mended, the cell goes on with what it had.
      const mended = await user.folder(world, { ...files, 'world.ts': moduleOf(DRIFT) });
      const next = await user.json(['run', mended, '--seconds', '1']);
      expect(next.report).toMatchObject({ continued: true, frozenCells: 0, entitiesEnd: 4 });
    },
  );
});

/** No old server can be had here, so a socket speaks for one: it answers every command as 6.2 does. */
async function oldRedis(): Promise<Server> {
  const info = 'redis_version:6.2.0\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n';
  const old = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      for (const command of data.toString().split(/(?=\*\d+\r\n)/)) {
        if (/\bhello\b/i.test(command)) socket.write("-ERR unknown command 'HELLO'\r\n");
        else if (!/\binfo\r\n$/i.test(command)) socket.write('+OK\r\n');
        else socket.write(`$${info.length}\r\n${info}\r\n`);
      }
    });
  }).listen(0, '127.0.0.1');
  await eventually(() => old.address() !== null);
  return old;
}
