/**
 * Which faults there are, and when each happens: a plan by seed, made before anything is started, so
 * that a run can be repeated.
 */
import { createRandom, type Random } from '@leasehold/kernel';
import type { Direction } from '@leasehold/servers';

export const FAULT_KINDS = [
  'kill',
  'stop',
  'partition',
  'redis-restart',
  'failover',
  'slow',
  'rolling',
  'gateway',
  'authority',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export type PlannedFault = {
  readonly kind: FaultKind;
  /** When it begins, as a share of the time in which faults begin. */
  readonly share: number;
  /** Which of those that it may befall: a number in [0, 1). */
  readonly pick: number;
  /** How long it lasts; of a failover, how long the replica lags before the primary dies. */
  readonly forMs: number;
  /** What a partition swallows. */
  readonly way: Direction;
  /** What `slow` adds to a round trip; of a failover, to the replica's link. */
  readonly delayMs: number;
  /** Whether `slow` befalls every pod instead of one. */
  readonly isForAll: boolean;
};

export type PlanRequest = {
  readonly kinds: readonly FaultKind[];
  readonly seed: number;
  /** The time in which faults begin. */
  readonly spanMs: number;
  readonly leaseTtlMs: number;
  /** As many at least, however close together. In lockstep the world waits for each. */
  readonly countMin?: number;
};

/** Faults closer together than this would be one fault to whoever must recover. */
const SPACING_MS_MIN = 1_500;
/** With more room every kind comes again. */
const SPACING_MS_MAX = 5_000;
const WAYS: readonly Direction[] = ['up', 'down', 'both'];

/** Every kind once, in an order of their own, then again; as many as there is time for. */
export function faultPlan(request: PlanRequest): PlannedFault[] {
  const { kinds, seed, spanMs, leaseTtlMs, countMin = 1 } = request;
  if (kinds.length === 0) return [];
  const random = createRandom(seed);
  const fitting = Math.min(Math.max(spanMs / kinds.length, SPACING_MS_MIN), SPACING_MS_MAX);
  const count = Math.max(countMin, Math.floor(spanMs / fitting));
  const plan: PlannedFault[] = [];
  while (plan.length < count) {
    for (const kind of shuffled(kinds, random)) {
      if (plan.length === count) break;
      // Somewhere in its own part of the time: the order is kept, the rhythm is not.
      const share = (plan.length + random.between(0, 0.6)) / count;
      plan.push(faultOf(kind, share, leaseTtlMs, random));
    }
  }
  return plan;
}

function faultOf(kind: FaultKind, share: number, leaseTtlMs: number, random: Random): PlannedFault {
  const lasting: Readonly<Record<FaultKind, number>> = {
    kill: 0,
    // Shorter than a lease, about one, and long after somebody else has taken the cells.
    stop: leaseTtlMs * random.between(0.5, 3),
    partition: leaseTtlMs * random.between(0.5, 3),
    'redis-restart': random.between(50, 800),
    failover: random.between(500, 1_500),
    slow: random.between(1_500, 4_000),
    rolling: 0,
    gateway: 0,
    authority: 0,
  };
  return {
    kind,
    share,
    pick: random.float(),
    forMs: Math.round(lasting[kind]),
    way: WAYS[random.below(WAYS.length)] as Direction,
    delayMs: Math.round(kind === 'failover' ? 50 : random.between(5, 100)),
    isForAll: random.chance(1 / 3),
  };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0] as T);
}
