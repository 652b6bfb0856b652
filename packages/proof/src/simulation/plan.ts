/** What one seed means: the world, who runs it, and which faults it gets, all drawn and printable. */
import { Random, saltOf } from '@leasehold/kernel';
import type { Armed, Rig, Settings } from './fault.ts';
import { FAMILIES } from './faults/index.ts';
import type { WorldOptions } from './world.ts';

/** Worlds of lockstep runs are few, so that the calm run to compare with is made once for many. */
const LOCKSTEP_WORLDS = 8;

export type Plan = {
  readonly seed: number;
  readonly world: WorldOptions;
  readonly pods: number;
  readonly gateways: number;
  readonly viewers: number;
  /** 0: the store has no replica, and a barrier waits for nothing. */
  readonly replicas: number;
  readonly replicaLagMs: number;
  /** How long a pod ticks cells before others get their turn: 0 = after each. */
  readonly sliceMs: number;
  /** How long faults last, in virtual ms. */
  readonly faultyMs: number;
  /** Between two strikes, on average. */
  readonly gapMs: number;
  readonly faults: Readonly<Record<string, Settings>>;
};

export type Drawn = {
  readonly plan: Plan;
  readonly arm: (rig: Rig) => readonly Armed[];
};

/** The same for the same seed, whatever was drawn before. */
export function draw(seed: number): Drawn {
  const random = stream(seed, 'plan');
  const mode = random.chance(0.5) ? 'realtime' : 'lockstep';
  const isLockstep = mode === 'lockstep';
  const size = random.below(3);
  const world: WorldOptions = {
    mode,
    seed: isLockstep ? random.below(LOCKSTEP_WORLDS) : random.below(2 ** 31),
    columns: 4 + size,
    rows: 4,
    entities: 20 + 10 * size,
    endTick: 60,
  };
  const isViewed = random.chance(0.6);
  const replicas = random.chance(0.5) ? 1 : 0;
  const facts = {
    ...{ seed, world, pods: 1 + random.below(4) },
    gateways: isViewed ? 1 + random.below(2) : 0,
    viewers: isViewed ? 1 + random.below(3) : 0,
    ...{ replicas, replicaLagMs: replicas * (10 + random.below(50)) },
    sliceMs: stream(seed, 'slices').chance(0.5) ? 0 : 20,
    faultyMs: 8_000 + random.below(8_000),
    gapMs: (isLockstep ? 100 : 400) * (1 + random.below(4)),
  };
  const chosen = FAMILIES.filter(({ odds }) => random.chance(odds)).map((family) => ({
    name: family.name,
    opened: family.open(stream(seed, `${family.name} settings`)),
  }));
  const faults = Object.fromEntries(chosen.map(({ name, opened }) => [name, opened.settings]));
  return {
    plan: { ...facts, faults },
    arm: (rig) => chosen.map(({ name, opened }) => opened.arm(rig, stream(seed, name))),
  };
}

/** Draws of one subject: more of one never shift those of another. */
export function stream(seed: number, subject: string): Random {
  return new Random().key(seed, Math.floor(seed / 2 ** 32), 0, saltOf(subject));
}

/** A run without a fault on one pod: what a lockstep world must come to. */
export function calmPlan(world: WorldOptions): Plan {
  return {
    ...{ seed: 0, world, pods: 1, gateways: 0, viewers: 0 },
    ...{ replicas: 0, replicaLagMs: 0, sliceMs: 20, faultyMs: 0, gapMs: 0, faults: {} },
  };
}
