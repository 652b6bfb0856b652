/** Fault schedules that a seed fixes, so that a failure is repeated by naming its seed. */
import { createRandom } from '@leasehold/kernel';

export type FaultPlan<Kind extends string> = {
  /** How long faults are due, in milliseconds. */
  readonly durationMs: number;
  /** For each kind: one about every `everyMs`, each lasting between the two bounds of `forMs`. */
  readonly kinds: Readonly<
    Record<Kind, { readonly everyMs: number; readonly forMs?: readonly [number, number] }>
  >;
};

export type Fault<Kind extends string> = {
  readonly atMs: number;
  readonly kind: Kind;
  readonly forMs: number;
  /** In [0, 1): which of the candidates is hit; `Math.floor(pick * candidates)`. */
  readonly pick: number;
};

/** All faults of a plan by time. Gaps between faults of one kind are exponential, never regular. */
export function faultSchedule<Kind extends string>(
  seed: number,
  plan: FaultPlan<Kind>,
): readonly Fault<Kind>[] {
  const random = createRandom(seed);
  const faults: Fault<Kind>[] = [];
  const kinds = Object.keys(plan.kinds).sort() as Kind[];
  for (const kind of kinds) {
    const { everyMs, forMs = [0, 0] } = plan.kinds[kind];
    const next = (): number => -Math.log(1 - random.float()) * everyMs;
    for (let atMs = next(); atMs < plan.durationMs; atMs += next()) {
      faults.push({ atMs, kind, forMs: random.between(...forMs), pick: random.float() });
    }
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}
