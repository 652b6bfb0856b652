/** What an authority may be told. Every number here is one that an operator may want to change. */
import type { PlanSettings } from '@leasehold/plan';

export type AuthoritySettings = {
  /** Life of the lead: so long after a leader's death another plans. */
  readonly leadTtlMs: number;
  /** How often it looks who leads and who is here. */
  readonly lookMs: number;
  /** How often it plans, unless pods have come or gone. */
  readonly planMs: number;
  /** How often the loads since the time before are kept, in the mean, for planning again later. */
  readonly recordMs: number;
  /** A cell in and around which nothing was for so long is asleep; 0 = none ever is. */
  readonly idleMs: number;
  /** Whether somebody may be in a cell that sleeps, as long as nothing in and around it changes. */
  readonly sleepsStill: boolean;
  /** Bounds of the scale signal. */
  readonly podsMin: number;
  readonly podsMax: number;
  readonly plan: Partial<PlanSettings>;
};

export const AUTHORITY_SETTINGS: AuthoritySettings = {
  leadTtlMs: 1_500,
  lookMs: 250,
  planMs: 1_000,
  recordMs: 10_000,
  idleMs: 300_000,
  sleepsStill: false,
  podsMin: 1,
  podsMax: 1_000,
  plan: {},
};
