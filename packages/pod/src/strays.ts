/**
 * Rows whose entity is nowhere around for the layer that says where all are: it went on while nobody
 * held their cell. Where it was seen last is asked for, and they set out for there.
 */
import { bearerOf } from '@leasehold/kernel';
import type { Holding } from './holding.ts';
import type { PodParts } from './settings.ts';

/** How often they are asked for. */
const LOOK_MS = 1_000;
const ASKED_MAX = 4_096;

export class Strays {
  readonly #parts: PodParts;
  #nextMs = 0;

  constructor(parts: PodParts) {
    this.#parts = parts;
  }

  async turn(holdings: Iterable<Holding>): Promise<void> {
    const { store, clock, engine } = this.#parts;
    const now = clock.nowMs();
    if (now < this.#nextMs) return;
    this.#nextMs = now + LOOK_MS;
    for (const holding of holdings) {
      if (holding.strays.length === 0) continue;
      const ids = holding.strays.slice(0, ASKED_MAX);
      const found = await store.whereabouts(ids, engine.home);
      holding.leads = new Map(ids.map((id, i) => [id, found[i] ?? bearerOf(id)]));
    }
  }
}
