/**
 * The time of a stored world, for all its pods: stopped, let go on, advanced. A pause is an end of
 * time that lies a moment ahead, so that every pod hears of it before it is reached, and every cell
 * stands at the very same tick.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseholdError } from '@leasehold/kernel';
import { CLOCK_READ_MS, dueAtMs, type Store, tickAt, type WorldClock } from '@leasehold/protocol';

/** A world whose time is to be told. */
export type TimedWorld = {
  readonly world: string;
  readonly grid: { readonly cells: number };
  /** Of any layer: they have one clock. */
  readonly store: Pick<Store, 'clock' | 'setClock' | 'heads' | 'nowMs'>;
  /** Those of all other layers. */
  readonly otherStores?: readonly Pick<Store, 'heads'>[];
};

/** The clock as it stands afterwards, and whether it was changed. */
export type TimeChange = { readonly clock: WorldClock; readonly isChanged: boolean };

/** A pod that reads the clock late has heard of it all the same. */
const AHEAD_MS = 2 * CLOCK_READ_MS;
const LOOK_MS = 250;
/** A world that is behind catches up in this time, or is said not to have. */
const STEADY_MS_MAX = 30_000;
const HEADS_MAX = 1_000;

/** Returns when every cell stands. Errors: those of `timeOf`; `WORLD_NOT_READY` if it is behind. */
export async function pauseWorld(open: TimedWorld): Promise<TimeChange> {
  const clock = await timeOf(open);
  if (clock.isPaused) return { clock, isChanged: false };
  const nowTick = tickAt(clock, open.store.nowMs());
  const aheadTick = nowTick + Math.ceil((clock.rateHz * AHEAD_MS) / 1_000);
  const lastTick = clock.endTick > 0 ? Math.min(aheadTick, clock.endTick) : aheadTick;
  const stopped = await runTo(open, { ...clock, baseTick: nowTick }, lastTick);
  return { clock: stopped, isChanged: true };
}

/** Errors: those of `timeOf`. */
export async function resumeWorld(open: TimedWorld): Promise<TimeChange> {
  const clock = await timeOf(open);
  if (!clock.isPaused) return { clock, isChanged: false };
  // A pause that was broken off has left its end behind.
  const endTick = clock.endTick > clock.baseTick ? clock.endTick : 0;
  const running = await open.store.setClock({ ...clock, endTick, isPaused: false });
  return { clock: running, isChanged: true };
}

/** Advances a paused world. Errors: those of `pauseWorld`; `SETTING_INVALID` while it runs. */
export async function stepWorld(open: TimedWorld, ticks: number): Promise<WorldClock> {
  const clock = await timeOf(open);
  if (!clock.isPaused) {
    throw new LeaseholdError('SETTING_INVALID', `${open.world} runs`, {
      field: 'world',
      value: open.world,
      remedy: `Stop its time first: leasehold world pause --world ${open.world}`,
    });
  }
  return runTo(open, clock, clock.baseTick + ticks);
}

/**
 * The clock of a world in realtime. Errors: `WORLD_NOT_READY` when its time has never run,
 * `SETTING_INVALID` in lockstep.
 */
export async function timeOf({ world, store }: TimedWorld): Promise<WorldClock> {
  const clock = await store.clock();
  if (clock === undefined) {
    throw new LeaseholdError('WORLD_NOT_READY', `the time of ${world} has never run`, {
      field: 'world',
      value: world,
      remedy: 'Start it with leasehold run.',
    });
  }
  if (clock.mode === 'realtime') return clock;
  throw new LeaseholdError('SETTING_INVALID', `${world} runs in lockstep`, {
    field: 'world',
    value: world,
    remedy: 'Its ticks come when they can, and it ends by --ticks: there is no time to stop.',
  });
}

/** Lets time run until a tick and no further. Answers the clock that stands there. */
async function runTo(
  open: TimedWorld,
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
async function untilSteady({ store, otherStores = [], grid, world }: TimedWorld): Promise<void> {
  const deadlineMs = performance.now() + STEADY_MS_MAX;
  let before = -1;
  while (performance.now() < deadlineMs) {
    let ticks = 0;
    for (let from = 0; from < grid.cells; from += HEADS_MAX) {
      const length = Math.min(HEADS_MAX, grid.cells - from);
      const cells = Array.from({ length }, (_, i) => from + i);
      const heads = await Promise.all([store, ...otherStores].map((each) => each.heads(cells)));
      for (const head of heads.flat()) if ('seq' in head) ticks += head.tick;
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
