/**
 * `leasehold world pause`, `resume` and `step`: the world's time, for all its pods. A pause is an end
 * of time that lies a moment ahead, so that every pod hears of it before it is reached, and every
 * cell stands at the very same tick.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import { CLOCK_READ_MS, dueAtMs, tickAt, type WorldClock } from '@leasehold/protocol';
import { type OpenWorld, type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count } from '../text-table.ts';

/** A pod that reads the clock late has heard of it all the same. */
const AHEAD_MS = 2 * CLOCK_READ_MS;
const LOOK_MS = 250;
/** A world that is behind catches up in this time, or is said not to have. */
const STEADY_MS_MAX = 30_000;
const HEADS_MAX = 1_000;

export function pause(flags: WorldFlags, output: Output): Promise<number> {
  return withTime(flags, output, async (open, clock) => {
    if (clock.isPaused) return told(open, clock, output, 'stands still already');
    const nowTick = tickAt(clock, open.store.nowMs());
    const aheadTick = nowTick + Math.ceil((clock.rateHz * AHEAD_MS) / 1_000);
    const lastTick = clock.endTick > 0 ? Math.min(aheadTick, clock.endTick) : aheadTick;
    const stopped = await runTo(open, { ...clock, baseTick: nowTick }, lastTick);
    return told(open, stopped, output, 'stands still');
  });
}

export function resume(flags: WorldFlags, output: Output): Promise<number> {
  return withTime(flags, output, async (open, clock) => {
    if (!clock.isPaused) return told(open, clock, output, 'runs already');
    // A pause that was broken off has left its end behind.
    const endTick = clock.endTick > clock.baseTick ? clock.endTick : 0;
    const running = await open.store.setClock({ ...clock, endTick, isPaused: false });
    return told(open, running, output, 'goes on');
  });
}

export function step(ticks: number, flags: WorldFlags, output: Output): Promise<number> {
  return withTime(flags, output, async (open, clock) => {
    if (!clock.isPaused) {
      throw new LeaseholdError('SETTING_INVALID', `${open.world} runs`, {
        field: 'world',
        value: open.world,
        remedy: `Stop its time first: leasehold world pause --world ${open.world}`,
      });
    }
    output.progress(`${count(ticks, 'tick')}, ${(ticks / clock.rateHz).toFixed(1)} s`);
    const stopped = await runTo(open, clock, clock.baseTick + ticks);
    return told(open, stopped, output, `has made ${count(ticks, 'tick')}, and stands still`);
  });
}

/** Errors: `WORLD_NOT_READY` when its time has never run, `SETTING_INVALID` in lockstep. */
function withTime(
  flags: WorldFlags,
  output: Output,
  work: (open: OpenWorld, clock: WorldClock) => Promise<number>,
): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const clock = await open.store.clock();
    if (clock === undefined) {
      throw new LeaseholdError('WORLD_NOT_READY', `the time of ${open.world} has never run`, {
        field: 'world',
        value: open.world,
        remedy: 'Start it with leasehold run.',
      });
    }
    if (clock.mode === 'realtime') return work(open, clock);
    throw new LeaseholdError('SETTING_INVALID', `${open.world} runs in lockstep`, {
      field: 'world',
      value: open.world,
      remedy: 'Its ticks come when they can, and it ends by --ticks: there is no time to stop.',
    });
  });
}

/** Lets time run until a tick and no further. Answers the clock that stands there. */
async function runTo(
  open: OpenWorld,
  { endTick, ...clock }: WorldClock,
  lastTick: number,
): Promise<WorldClock> {
  const { store } = open;
  const running = await store.setClock({ ...clock, endTick: lastTick, isPaused: false });
  const waitMs = dueAtMs(running, lastTick) - store.nowMs();
  await sleep(Math.max(0, waitMs) + LOOK_MS);
  await untilSteady(open);
  return store.setClock({ ...clock, baseTick: lastTick, endTick, isPaused: true });
}

/** Whoever was behind has caught up: from one look to the next nobody has committed anything. */
async function untilSteady({ store, grid, world }: OpenWorld): Promise<void> {
  const deadlineMs = performance.now() + STEADY_MS_MAX;
  let before = -1;
  while (performance.now() < deadlineMs) {
    let ticks = 0;
    for (let from = 0; from < grid.cells; from += HEADS_MAX) {
      const length = Math.min(HEADS_MAX, grid.cells - from);
      for (const head of await store.heads(Array.from({ length }, (_, i) => from + i))) {
        if ('seq' in head) ticks += head.tick;
      }
    }
    if (ticks === before) return;
    before = ticks;
    await sleep(LOOK_MS);
  }
  throw new LeaseholdError('WORLD_NOT_READY', `${world} is not steady`, {
    field: 'world',
    value: world,
    remedy: `Its pods are behind for more than ${STEADY_MS_MAX / 1_000} s: give it more, then pause again.`,
  });
}

function told(
  { world, incarnation, store }: OpenWorld,
  clock: WorldClock,
  output: Output,
  what: string,
): number {
  const tick = tickAt(clock, store.nowMs());
  const { isPaused, rateHz } = clock;
  output.json({ world, incarnation, tick, isPaused, rateHz });
  output.print(`${output.colors.bold(world)} ${what}, at tick ${tick}`);
  return 0;
}
