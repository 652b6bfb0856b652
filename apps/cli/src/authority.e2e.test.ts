/**
 * Goal: real pods follow the plans of real authorities, and the death of the one that leads changes
 * nothing for the world. Method: a run with two authorities, of which the leader is killed twice.
 */
import { readFileSync } from 'node:fs';
import { type LivePlanStore, openLivePlanStore } from '@leasehold/live-store';
import { eventually, useRedis } from '@leasehold/testkit';
import { loadWorld } from '@leasehold/world';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';
import { childrenOf } from './processes-fixture.ts';

const WAIT_MS = 30_000;
const LED_AGAIN_MS = 10_000;

const at = useRedis();
let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});

afterAll(() => user.close());

/** Whoever asks for a lead that is taken is told who has it. */
async function leaderOf(store: LivePlanStore): Promise<string> {
  const reply = await store.lead('nobody', 1);
  return reply.tag === 'FOLLOWING' ? reply.leader : '';
}

/** The process of an authority, whose name is the beginning of what it leads under. */
async function pidOf(parent: number, leader: string): Promise<number> {
  for (const pid of await childrenOf(parent)) {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const name = environment.find((line) => line.startsWith('AUTHORITY='))?.slice(10);
    if (name !== undefined && leader.startsWith(name)) return pid;
  }
  throw new Error(`no process is ${leader}`);
}

test(
  'E1 E2 pods follow a plan, and leaders that are killed are replaced without anything being lost',
  async () => {
    const flags = ['--pods', '3', '--authorities', '2', '--seconds', '11', '--json'];
    const run = user.leasehold(['run', FLOCKING, ...flags]);
    onTestFinished(() => void run.kill('SIGKILL'));
    const { grid } = await loadWorld(FLOCKING);
    const place = { world: 'flocking', incarnation: 1, layer: 'main', grid };
    const opened = await eventually(async () => {
      return openLivePlanStore({ url: at.url, ...place }).catch(() => undefined);
    }, WAIT_MS);
    const store = opened as LivePlanStore;
    onTestFinished(() => store.close());
    await eventually(
      async () => (await store.plan())?.regions.every(({ pod }) => pod !== ''),
      WAIT_MS,
    );
    const leaders = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const leader = await eventually(async () => {
        const found = await leaderOf(store);
        return found !== '' && !leaders.has(found) ? found : undefined;
      }, LED_AGAIN_MS);
      leaders.add(leader as string);
      process.kill(await pidOf(run.pid, leader as string), 'SIGKILL');
    }
    const last = await eventually(async () => {
      const found = await leaderOf(store);
      return found !== '' && !leaders.has(found) ? found : undefined;
    }, LED_AGAIN_MS);
    const { code, report } = await user.ended(run);
    const journal = await store.journal('', 1_000);
    expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
    expect(code).toBe(0);
    expect(last).not.toBe('');
    expect(journal.some(({ kind }) => kind === 'split')).toBe(true);
  },
  3 * WAIT_MS,
);

const MANIFEST = `world: drowsy
module: world.ts
space: { kind: torus, width: 160, height: 160, cell: 10 }
blockCells: 2
tickHz: 20
sleep: { idleMs: 300 }
`;
const MODULE = `import { component, f64, simulation, system } from '@leasehold/sdk';
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const drift = system({
  name: 'drift',
  writes: { position: Position },
  each({ position }) {
    position.x += 0.1;
  },
});
export default simulation({
  components: [Position],
  systems: [drift],
  seed({ spawn }) {
    spawn(Position({ x: 5, y: 5 }));
  },
});
`;

test(
  'a world most of which sleeps starts again, and only what is awake is waited for',
  async () => {
    const folder = await user.folder('drowsy', { 'world.yaml': MANIFEST, 'world.ts': MODULE });
    const flags = ['run', folder, '--pods', '2', '--authorities', '1', '--seconds', '3'];
    const first = await user.json(flags);
    expect([first.code, first.fault]).toEqual([0, undefined]);
    const again = user.leasehold(flags);
    expect((await again.exited).code, again.stderr).toBe(0);
    expect(again.stderr).toMatch(/hold [0-9]+ cells, 2[0-9]{2} sleep/);
  },
  3 * WAIT_MS,
);
