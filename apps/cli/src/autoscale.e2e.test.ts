/**
 * Goal: a world has as many pods as its load asks for, and nothing is lost while they come and go.
 * Method: a world that works hard for a while and then rests, on real pods that the run starts and
 * drains as a real authority wants.
 */
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { User } from './command-fixture.ts';

const at = useRedis();
let user: User;

beforeAll(async () => {
  // An hour of rest in a second.
  user = await User.open({ REDIS_URL: at.url, PODS_FALL_MS: '2000' });
});

afterAll(() => user.close());

const MANIFEST = `world: breath
module: world.ts
space: { kind: torus, width: 160, height: 80, cell: 10 }
blockCells: 2
tickHz: 20
`;
/** Each cell takes a fifth of a millisecond, and for eight seconds ten times that. */
const MODULE = `import { component, f64, simulation, system } from '@leasehold/sdk';
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const breathe = system({
  name: 'breathe',
  writes: { position: Position },
  each({ position }, { tick }) {
    const isBusy = tick > 40 && tick <= 200;
    for (let i = 0; i < (isBusy ? 10_000 : 1_000); i++) position.y = 5 + Math.sin(position.y + i);
    position.y = 5 + Math.floor(position.y / 10) * 10;
  },
});
export default simulation({
  components: [Position],
  systems: [breathe],
  seed({ spawn }) {
    for (let x = 5; x < 160; x += 10) spawn(Position({ x, y: 5 }));
  },
});
`;

test('E1 E2 pods come when the load asks for them and leave when it does not, and nothing is lost', async () => {
  const folder = await user.folder('breath', { 'world.yaml': MANIFEST, 'world.ts': MODULE });
  const flags = ['--autoscale', '1..3', '--spare', '98', '--seconds', '22', '--json'];
  const run = user.leasehold(['run', folder, ...flags]);
  const { code, report } = await user.ended(run);
  expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
  expect(code).toBe(0);
  const { scaling } = report;
  expect(scaling[0]).toMatchObject({
    what: 'started',
    why: expect.stringMatching(/^Up from 1 to/),
  });
  const downs = scaling.filter(({ what }) => what === 'drained');
  expect(downs.length).toBeGreaterThan(0);
  expect(downs[0]?.why).toMatch(/^Down from [23] to/);
  expect(scaling.length - downs.length).toBeLessThanOrEqual(2);
});
