import type { Auditors } from './auditors.ts';
import type { StoredWorld } from './stored-world.ts';

/** Cells asked for at once. */
const HEADS_MAX = 1_000;

/**
 * The tick at which the world stopped: the highest that any cell has committed. Where the store
 * has no answer for a cell, the auditor says why, and nothing is started.
 */
export async function lastTick(world: StoredWorld, auditors: Auditors): Promise<number> {
  const { stores, loaded } = world;
  const { cells } = loaded.grid;
  let tick = 0;
  for (const store of stores) {
    for (let from = 0; from < cells; from += HEADS_MAX) {
      const length = Math.min(HEADS_MAX, cells - from);
      for (const head of await store.heads(Array.from({ length }, (_, i) => from + i))) {
        if ('tag' in head) await auditors.ready();
        else tick = Math.max(tick, head.tick);
      }
    }
  }
  return tick;
}
