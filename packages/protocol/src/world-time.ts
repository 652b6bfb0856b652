/** What a world's clock says: which tick is due when. */
import type { WorldClock } from './store.ts';

/** Pods of a world whose time runs read its clock so often: what is written there is heard by then. */
export const CLOCK_READ_MS = 500;

/** The tick that a realtime world should have reached at a moment of the store's clock. */
export function tickAt(clock: WorldClock, storeMs: number): number {
  if (clock.isPaused) return clock.baseTick;
  const ticks = Math.floor(((storeMs - clock.baseMs) * clock.rateHz) / 1000);
  return Math.max(clock.baseTick, clock.baseTick + ticks);
}

/** Store time at which a tick is due. */
export function dueAtMs(clock: WorldClock, tick: number): number {
  return clock.baseMs + ((tick - clock.baseTick) * 1000) / clock.rateHz;
}

/** Whole ticks that did not happen in a gap between two that did. */
export function missedTicks(clock: WorldClock, gapMs: number): number {
  return Math.max(0, Math.round((gapMs * clock.rateHz) / 1000) - 1);
}
