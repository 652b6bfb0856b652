/** Cells that are to be awake though nothing is in them, and how that is written down. */
import { checkName, LeaseholdError } from '@leasehold/kernel';

/** Why cells are to be awake: somebody looks at them, or has ordered it. */
export type Interest = {
  readonly kind: 'view' | 'order';
  /** Of the store's clock. Nothing of it holds afterwards. */
  readonly untilMs: number;
  /** Runs of cells, ascending, each with how many look at each of its cells; an order: 0. */
  readonly runs: readonly (readonly [first: number, count: number, viewers: number])[];
};

/** Most runs that one gateway, or one order, may name. */
export const INTEREST_RUNS_MAX = 20_000;
/** An order to stay awake for longer than this is a setting of the world. */
export const INTEREST_MS_MAX = 7 * 86_400_000;
/** So long after its end an interest is removed: its owner may just be extending it. */
export const INTEREST_KEPT_MS = 60_000;

/** Throws `NAME_INVALID`, `SETTING_INVALID` or `LIMIT_EXCEEDED`. */
export function interestJson(name: string, interest: Interest, nowMs: number): string {
  checkName('interest', name);
  const { kind, untilMs, runs } = interest;
  if (runs.length > INTEREST_RUNS_MAX) {
    throw new LeaseholdError('LIMIT_EXCEEDED', `interest: ${runs.length} runs of cells`, {
      field: 'runs',
      value: String(runs.length),
      remedy: `Name at most ${INTEREST_RUNS_MAX} runs; join those that touch.`,
    });
  }
  if (!Number.isFinite(untilMs) || untilMs > nowMs + INTEREST_MS_MAX) {
    throw wrong('untilMs', untilMs, 'Use a time of the store within the next 7 days.');
  }
  let end = 0;
  for (const run of runs) {
    const [first, count, viewers] = run;
    const isWhole = run.every((value) => Number.isSafeInteger(value));
    if (!isWhole || first < end || count < 1 || viewers < 0) {
      throw wrong('runs', JSON.stringify(run), 'Name runs of cells in ascending order.');
    }
    end = first + count;
  }
  return JSON.stringify({ kind, untilMs: Math.floor(untilMs), runs });
}

/** undefined: it was written by another version, and says nothing here. */
export function parseInterest(json: string): Interest | undefined {
  try {
    const { kind, untilMs, runs } = JSON.parse(json) as Interest;
    if (kind !== 'view' && kind !== 'order') return undefined;
    if (!Number.isFinite(untilMs) || runs.length > INTEREST_RUNS_MAX) return undefined;
    const isWhole = runs.every(
      (run) => run.length === 3 && run.every((value) => Number.isSafeInteger(value) && value >= 0),
    );
    return isWhole ? { kind, untilMs, runs } : undefined;
  } catch {
    return undefined;
  }
}

function wrong(field: string, value: unknown, remedy: string): LeaseholdError {
  return new LeaseholdError('SETTING_INVALID', `${field}: ${String(value)} is no interest`, {
    field,
    value: String(value),
    remedy,
  });
}
