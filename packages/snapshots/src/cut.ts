/** Opens a running world for a cut: which tick it is to be, and when everybody has gone past it. */
import { type Clock, LeaseholdError } from '@leasehold/kernel';
import { CLOCK_READ_MS, dueAtMs, type Store, tickAt, type WorldClock } from '@leasehold/protocol';
import { calmInMs } from './calm.ts';
import { Capture, type CaptureLayer, type CaptureOptions } from './capture.ts';

export type CutWorld = {
  readonly world: string;
  readonly layers: readonly (CaptureLayer & { readonly store: Store })[];
  readonly grid: CaptureOptions['grid'];
  readonly clock: Clock;
};

export type Cut = {
  readonly tick: number;
  readonly clock: WorldClock;
  readonly capture: Capture;
  /** How long it is now until nobody ticks. */
  readonly calmInMs: () => number;
  /** Nothing is kept for it any more. */
  close(): Promise<void>;
};

/** Holders hear of a cut with the clock, which they read so often. */
const NOTICE_MS = 2 * CLOCK_READ_MS;
/** A reader that died keeps nobody for longer. */
const PIN_MS = 30_000;
/** Who is in time has committed a tick so many ticks after it was due. */
const LATE_TICKS = 3;
const LOOK_MS = 50;
/** In lockstep: how long no cell may have gone on. */
const STILL_MS_MAX = 30_000;
const CELLS_PER_LOOK = 1_000;

/**
 * Waits until the cut can be read. `tick`: a later one than the world is at; one of its own choice by
 * default. Errors: `WORLD_NOT_READY` when its time has never run or stands still in lockstep.
 */
export async function takeCut(world: CutWorld, tick?: number): Promise<Cut> {
  const { store } = world.layers[0] as CutWorld['layers'][number];
  const clock = await store.clock();
  if (clock === undefined) throw notReady(world.world, 'its time has never run');
  const aim = tick ?? (await aimOf(world, clock));
  await store.pinCut(aim, PIN_MS);
  const stop = keepPinned(world, store, aim);
  try {
    if (clock.mode === 'lockstep') await untilPast(world, aim);
    else await untilDue(world, store, clock, aim);
  } catch (error) {
    await stop();
    throw error;
  }
  const { layers, grid } = world;
  const capture = new Capture({ layers, grid, tick: aim });
  const calm = (): number => calmInMs(clock, store.nowMs());
  return { tick: aim, clock, capture, calmInMs: calm, close: stop };
}

/** Says again that it is being read until it is told to stop. */
function keepPinned({ clock }: CutWorld, store: Store, tick: number): () => Promise<void> {
  const ending = new AbortController();
  const loop = (async () => {
    while (!ending.signal.aborted) {
      await clock.sleep(PIN_MS / 3, ending.signal).catch(() => undefined);
      if (!ending.signal.aborted) await store.pinCut(tick, PIN_MS).catch(() => undefined);
    }
  })();
  return async () => {
    ending.abort();
    await loop;
    await store.pinCut(tick, 0);
  };
}

async function aimOf(world: CutWorld, clock: WorldClock): Promise<number> {
  const { store } = world.layers[0] as CutWorld['layers'][number];
  if (clock.isPaused) return clock.baseTick;
  const last = clock.endTick > 0 ? clock.endTick : Number.POSITIVE_INFINITY;
  if (clock.mode === 'realtime') return Math.min(last, tickAt(clock, store.nowMs() + NOTICE_MS));
  const first = await ticksOf(world);
  await world.clock.sleep(NOTICE_MS / 4);
  const second = await ticksOf(world);
  return Math.min(last, second.max + Math.max(2, 5 * (second.max - first.max)));
}

async function untilDue(
  { clock }: CutWorld,
  store: Store,
  world: WorldClock,
  tick: number,
): Promise<void> {
  if (world.isPaused) return;
  for (;;) {
    const waitMs = dueAtMs(world, tick + LATE_TICKS) - store.nowMs();
    if (waitMs <= 0) return;
    await clock.sleep(Math.min(waitMs, NOTICE_MS));
  }
}

async function untilPast(world: CutWorld, tick: number): Promise<void> {
  let sinceMs = world.clock.nowMs();
  let before = -1;
  for (;;) {
    const { min, sum } = await ticksOf(world);
    if (min >= tick) return;
    const nowMs = world.clock.nowMs();
    if (sum !== before) sinceMs = nowMs;
    before = sum;
    if (nowMs - sinceMs > STILL_MS_MAX) throw notReady(world.world, `it stands at tick ${min}`);
    await world.clock.sleep(LOOK_MS);
  }
}

/** Of all cells that were ever written. */
async function ticksOf({ layers, grid }: CutWorld) {
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  let sum = 0;
  for (const { store } of layers) {
    for (let first = 0; first < grid.cells; first += CELLS_PER_LOOK) {
      const length = Math.min(CELLS_PER_LOOK, grid.cells - first);
      const cells = Array.from({ length }, (_, i) => first + i);
      for (const head of await store.heads(cells)) {
        if ('tag' in head || head.seq === 0) continue;
        min = Math.min(min, head.tick);
        max = Math.max(max, head.tick);
        sum += head.tick;
      }
    }
  }
  return { min, max, sum };
}

function notReady(world: string, why: string): LeaseholdError {
  return new LeaseholdError('WORLD_NOT_READY', `${world} cannot be read at one tick: ${why}`, {
    field: 'world',
    value: world,
    remedy: 'Start it with leasehold run, or look why its pods do not go on.',
  });
}
