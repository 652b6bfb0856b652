/** Who bears young, by what it sees of its energy: a copy that is a tick old, in its own layer. */
import { type ComponentValue, system } from '@leasehold/sdk';
import {
  Barren,
  Energy,
  FOREVER,
  Heading,
  Ledger,
  Life,
  Litter,
  Position,
  Sheep,
  Spent,
  Wolf,
} from './components.ts';

/** In radians. */
export const TURN = 2 * Math.PI;

type Place = { readonly x: number; readonly y: number };

/** A wolf or a sheep with all its components, of all layers. */
export function animal(
  species: typeof Wolf | typeof Sheep,
  { x, y }: Place,
  { n, angle, tick }: { readonly n: number; readonly angle: number; readonly tick: number },
): readonly ComponentValue[] {
  const heading = Heading({ x: Math.cos(angle), y: Math.sin(angle) });
  return [
    Position({ x, y }),
    heading,
    species(),
    Energy({ n }),
    Life({ burntAt: tick }),
    Ledger(),
    Litter(),
  ];
}

/**
 * A child costs its mother what it gets. The next one waits until that is paid, so none is born of
 * energy that is spent. Who is dying says that no child comes any more: an event later than all that
 * it has to pay for.
 */
export const breed = system({
  name: 'breed',
  params: {
    ...{ sheepBirthAt: 90, sheepChild: 45, sheepBirthsPerS: 0.08 },
    ...{ wolfBirthAt: 150, wolfChild: 75, wolfBirthsPerS: 0.05 },
    untilTick: FOREVER,
  },
  writes: { litter: Litter },
  reads: { energy: Energy, position: Position },
  optional: { wolf: Wolf },
  emits: [Spent, Barren],
  each({ litter, energy, position, wolf }, { id, tick, random, dtS, params, emit, spawn }) {
    if (energy.endsAt !== 0) {
      if (!litter.isClosed) litter.isClosed = emit(id, Barren());
      return;
    }
    const isWolf = wolf !== undefined;
    const isFit = energy.n >= (isWolf ? params.wolfBirthAt : params.sheepBirthAt);
    if (!isFit || litter.borne !== energy.borne || tick >= params.untilTick) return;
    if (!random.chance((isWolf ? params.wolfBirthsPerS : params.sheepBirthsPerS) * dtS)) return;
    const n = isWolf ? params.wolfChild : params.sheepChild;
    if (!emit(id, Spent({ n }))) return;
    litter.borne += 1;
    spawn(...animal(isWolf ? Wolf : Sheep, position, { n, angle: random.between(0, TURN), tick }));
  },
});
