/** A world's plans on a server whose clock and errors a test sets, and on a twin beside it. */
import { type LivePlanStore, openLivePlanStore } from '@leasehold/live-store';
import { Keys } from '@leasehold/live-store/keys';
import type { PlanStore } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { openTwinPlanStore, twinServer } from '@leasehold/twin-store';
import { Redis } from 'ioredis';
import { instrumentedSource } from '../model/instrument.ts';

/** Before every real clock, so that ids of streams, which are of the real one, are never too old. */
const START_MS = 1_000_000_000_000;
const LIBRARY = 'leasehold_plans';
const FACTS = { incarnation: 1, layer: 'main' };

export type PlanLane = {
  readonly keys: Keys;
  readonly redis: Redis;
  /** Two processes, each on both sides. */
  readonly pairs: readonly { readonly live: PlanStore; readonly twin: PlanStore }[];
  /** Steps the clock of both, forward or back. */
  step(ms: number): Promise<void>;
  /** The next call of the library fails at its k-th call of Redis, if it may fail there. */
  failNext(k: number): Promise<void>;
  close(): Promise<void>;
};

let lanes = 0;

export async function openPlanLane(url: string): Promise<PlanLane> {
  lanes += 1;
  const world = `plans-${lanes}`;
  const grid = new Grid({ kind: 'plane', width: 400, height: 100, cell: 100 });
  const redis = new Redis(url);
  await redis.call('FUNCTION', 'LOAD', 'REPLACE', instrumentedSource(LIBRARY));
  const model = (...args: string[]) => redis.call('FCALL', `${LIBRARY}_model`, '0', ...args);
  let nowMs = START_MS;
  const set = () =>
    model('now', String(Math.floor(nowMs / 1_000)), String((nowMs % 1_000) * 1_000));
  await set();
  const twin = twinServer({ grid, clock: { nowMs: () => 0 }, epochMs: START_MS });
  const lives: LivePlanStore[] = [];
  for (let i = 0; i < 2; i++) {
    lives.push(await openLivePlanStore({ ...FACTS, url, world, grid, library: LIBRARY }));
  }
  return {
    keys: new Keys(world, FACTS.incarnation, FACTS.layer, grid),
    redis,
    pairs: lives.map((live) => ({ live, twin: openTwinPlanStore(twin, { ...FACTS, world }) })),
    step: async (ms) => {
      nowMs += ms;
      twin.stepClock(ms);
      await set();
    },
    failNext: async (k) => {
      await model('fail', String(k));
    },
    close: async () => {
      await Promise.all(lives.map((live) => live.close()));
      redis.disconnect();
    },
  };
}
