/** What a policy is given and what it answers. A policy is pure: the same input, the same answer. */
import type { Decision, Plan } from '@leasehold/protocol';
import type { Loads } from './loads.ts';
import type { PlanSettings } from './settings.ts';

/** As much of a `Grid` as planning needs: a `Grid` is one. */
export type PlanGrid = {
  readonly columns: number;
  readonly rows: number;
  readonly wrapsX: boolean;
  readonly wrapsY: boolean;
};

export type PlanPod = {
  readonly pod: string;
  /** A cordoned pod keeps what it has and gets nothing more; a draining one gives everything away. */
  readonly state: 'ready' | 'cordoned' | 'draining';
  /** What a tick may take on this pod, if it is not `tickBudgetMs`: half of it gets half the load. */
  readonly budgetMs?: number;
};

export type PlanInput = {
  readonly grid: PlanGrid;
  readonly loads: Loads;
  /** Those that live. Who is not named is gone. */
  readonly pods: readonly PlanPod[];
  readonly previous?: Plan | undefined;
  readonly settings?: Partial<PlanSettings> | undefined;
  /** On the store's clock. */
  readonly nowMs: number;
  /** When regions last changed, if that was before `previous.atMs`, which wakes and sleeps count in. */
  readonly shapedAtMs?: number | undefined;
};

/** Which cells sleep is no matter of a policy: they stay as the previous plan has them. */
export type Planned = {
  /** The previous plan itself when nothing changes. */
  readonly plan: Plan;
  readonly decisions: readonly Decision[];
};

export type Policy = {
  readonly name: string;
  plan(input: PlanInput): Planned;
};
