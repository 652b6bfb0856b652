/**
 * Goal: a world's time is stopped, stepped and let go on by a command, for all its pods, and nothing
 * is lost by it. Method: a run with two pods, the commands beside it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type LiveStore, openLiveStore } from '@leasehold/live-store';
import { eventually, useRedis } from '@leasehold/testkit';
import { loadWorld } from '@leasehold/world';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FLOCKING, User } from '../command-fixture.ts';

const WAIT_MS = 30_000;
const at = useRedis();
let user: User;

beforeAll(async () => {
  user = await User.open({ REDIS_URL: at.url });
});

afterAll(() => user.close());

type Said = {
  readonly worlds: readonly { readonly tick: number | null }[];
  readonly tick: number;
};

async function said(...args: readonly string[]) {
  const { code, report, fault } = await user.json(['world', ...args]);
  return { ...(report as unknown as Said), code, fault };
}

/** The ticks at which cells with somebody in them stand: in a flock of 2,000 on 64 cells, all. */
async function ticksOf(store: LiveStore, cells: number): Promise<number[]> {
  const ticks = new Set<number>();
  for (const head of await store.heads([...Array(cells).keys()])) {
    if ('seq' in head) ticks.add(head.tick);
  }
  return [...ticks];
}

test('W1 a world that is paused stands in all cells at one tick, is stepped, and goes on', async () => {
  expect(await said('list')).toMatchObject({ code: 0, worlds: [] });
  expect(await said('pause')).toMatchObject({ code: 2, fault: { code: 'WORLD_NOT_READY' } });
  const run = user.leasehold(['run', FLOCKING, '--pods', '2', '--seconds', '14', '--json']);
  onTestFinished(() => void run.kill('SIGKILL'));
  const running = { world: 'flocking', pods: 2, isPaused: false };
  await eventually(async () => {
    const { worlds } = await said('list');
    return (worlds[0]?.tick ?? 0) > 5;
  }, WAIT_MS);
  expect(await said('list')).toMatchObject({ worlds: [running] });
  expect(await said('step')).toMatchObject({ code: 2, fault: { code: 'SETTING_INVALID' } });

  const { grid } = await loadWorld(FLOCKING);
  const place = { url: at.url, world: 'flocking', incarnation: 1, layer: 'main', grid };
  const store = await openLiveStore(place);
  onTestFinished(() => store.close());
  const paused = await said('pause');
  expect(paused).toMatchObject({ code: 0, isPaused: true });
  expect(await ticksOf(store, grid.cells)).toEqual([paused.tick]);
  await sleep(700);
  expect(await ticksOf(store, grid.cells)).toEqual([paused.tick]);
  expect(await said('pause')).toMatchObject({ code: 0, tick: paused.tick });
  expect(await said('list')).toMatchObject({ worlds: [{ ...running, isPaused: true }] });

  expect(await said('step', '3')).toMatchObject({ code: 0, tick: paused.tick + 3 });
  expect(await ticksOf(store, grid.cells)).toEqual([paused.tick + 3]);
  expect(await said('step', '0')).toMatchObject({ code: 2, fault: { field: 'ticks', value: '0' } });

  expect(await said('resume')).toMatchObject({ code: 0, isPaused: false });
  await eventually(async () => {
    const ticks = await ticksOf(store, grid.cells);
    return Math.min(...ticks) > paused.tick + 8;
  }, WAIT_MS);
  const { code, report } = await user.ended(run);
  expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], reasons: [] });
  expect(code).toBe(0);
  expect(await said('list')).toMatchObject({ worlds: [{ ...running, pods: 0, entities: 0 }] });
}, 90_000);
