/** What the auditor found. Bounded: the first findings matter, the rest is a number. */
import type { AuditRule, BlindSpot, Rollback, Violation } from '@leasehold/protocol';

/** Kept in full; more are only counted. Enough to see the pattern, small enough for a report. */
const VIOLATIONS_MAX = 100;
export const IDS_MAX = 20;
/** Unhealed cells listed; more are only counted. */
export const CELLS_MAX = 100;
const SPOTS_MAX = 100;

export class Findings {
  readonly violations: Violation[] = [];
  readonly blindSpots: BlindSpot[] = [];
  readonly rollbacks: Rollback[] = [];
  violationCount = 0;
  blindSpotCount = 0;

  violation(
    rule: AuditRule,
    cell: number,
    message: string,
    more: Pick<Violation, 'seq' | 'ids'> = {},
  ) {
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
