/** What the auditor found. Bounded: the first findings matter, the rest is a number. */

export type Rule = 'L1' | 'L2' | 'L3' | 'E1' | 'E2';

export type Violation = {
  readonly rule: Rule;
  readonly cell: number;
  /** Log position at which it was seen; absent when it is not of one entry. */
  readonly seq?: number;
  readonly message: string;
  /** Some of the entities concerned. */
  readonly ids?: readonly number[];
};

/** A stretch of a log that was trimmed before the auditor read it. */
export type BlindSpot = { readonly cell: number; readonly fromSeq: number; readonly toSeq: number };

/** The store went back in time, as after a failover or a restart. */
export type Rollback = {
  /** Cells whose log ended earlier than what had been read, or went on differently. */
  readonly cells: number;
  readonly firstCell: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly entitiesBefore: number;
  readonly entitiesAfter: number;
};

/** Kept in full; more are only counted. Enough to see the pattern, small enough for a report. */
const VIOLATIONS_MAX = 100;
export const IDS_MAX = 20;
const SPOTS_MAX = 100;

export class Findings {
  readonly violations: Violation[] = [];
  readonly blindSpots: BlindSpot[] = [];
  readonly rollbacks: Rollback[] = [];
  violationCount = 0;
  blindSpotCount = 0;

  violation(rule: Rule, cell: number, message: string, more: Pick<Violation, 'seq' | 'ids'> = {}) {
    this.violationCount++;
    if (this.violations.length >= VIOLATIONS_MAX) return;
    const ids = more.ids?.slice(0, IDS_MAX);
    const where = more.seq === undefined ? {} : { seq: more.seq };
    this.violations.push({ rule, cell, ...where, message, ...(ids === undefined ? {} : { ids }) });
  }

  blindSpot(spot: BlindSpot): void {
    this.blindSpotCount++;
    if (this.blindSpots.length < SPOTS_MAX) this.blindSpots.push(spot);
  }

  rollback(rollback: Rollback): void {
    if (this.rollbacks.length < SPOTS_MAX) this.rollbacks.push(rollback);
  }
}
