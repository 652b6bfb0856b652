/**
 * When the auditor's word goes to the world's feed: at the start, once after each burst of takeovers
 * has settled, and at once when something is lost, doubled or broken.
 */
import type { AuditStatus } from '@leasehold/protocol';
import type { Verdict } from './auditor-process.ts';

export type AuditWord = {
  readonly about: 'start' | 'takeover' | 'violation' | 'end';
  readonly tick: number;
  readonly entities: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly violations: number;
};

/** A pod's blocks are taken by several others, one after another. */
const SETTLED_MS = 500;
/** What goes on breaking is told again this often. */
const VIOLATION_EVERY_MS = 1_000;

export class AuditWords {
  #hasStarted = false;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #takenTick = 0;
  #isOwed = false;
  #violationAtMs = Number.NEGATIVE_INFINITY;
  #faults = { lost: 0, duplicated: 0, violations: 0 };

  /** A block was taken over, and ticked again first at `tick`. */
  noteTakeover(tick: number, nowMs: number): void {
    this.#isOwed = true;
    this.#takenAtMs = nowMs;
    this.#takenTick = Math.max(this.#takenTick, tick);
  }

  /** The words that are due. Each is told once; `nowMs` is any clock that does not go back. */
  due(status: AuditStatus, nowMs: number): AuditWord[] {
    // What it said before the store went away is no judgement of what came after.
    if (!status.isConnected) return [];
    const words: AuditWord[] = [];
    if (!this.#hasStarted) words.push(wordOf('start', status));
    this.#hasStarted = true;
    if (this.#hasRisen(status) && nowMs - this.#violationAtMs >= VIOLATION_EVERY_MS) {
      const { lost, duplicated, violations } = status;
      this.#faults = { lost, duplicated, violations };
      this.#violationAtMs = nowMs;
      words.push(wordOf('violation', status));
    }
    const isSettled = nowMs - this.#takenAtMs >= SETTLED_MS && status.tick > this.#takenTick;
    if (this.#isOwed && isSettled) {
      this.#isOwed = false;
      words.push(wordOf('takeover', status));
    }
    return words;
  }

  #hasRisen({ lost, duplicated, violations }: AuditStatus): boolean {
    const before = this.#faults;
    return lost > before.lost || duplicated > before.duplicated || violations > before.violations;
  }
}

function wordOf(about: AuditWord['about'], status: AuditStatus): AuditWord {
  const { tick, alive: entities, lost, duplicated, violations } = status;
  return { about, tick, entities, lost, duplicated, violations };
}

/** What the auditor says when all is at rest. */
export function lastWord(verdict: Verdict): AuditWord {
  const { tickMax: tick, entitiesEnd: entities, lost, duplicated, violationCount } = verdict;
  return { about: 'end', tick, entities, lost, duplicated, violations: violationCount };
}

/** A word for people. */
export function wordLine({ tick, entities, lost, duplicated, violations }: AuditWord): string {
  const isWhole = lost + duplicated + violations === 0;
  const found = isWhole
    ? 'nothing lost, nothing doubled'
    : `${lost} LOST, ${duplicated} DOUBLED, ${violations} VIOLATIONS`;
  return `the auditor at tick ${tick}: ${entities} entities, ${found}`;
}
