/** What every store asks of the calls of a `PlanStore`, and how decisions travel. */
import { checkName, LeaseholdError } from '@leasehold/kernel';
import {
  DECISIONS_PER_PLAN_MAX,
  type Decision,
  type JournalEntry,
  LEAD_TTL_MS_MAX,
} from './plan.ts';
import { PLAN_BYTES_MAX } from './plan-body.ts';

/** Throws `NAME_INVALID` or `SETTING_INVALID`. */
export function checkLead(name: string, ttlMs: number): void {
  checkName('authority', name);
  if (Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= LEAD_TTL_MS_MAX) return;
  throw new LeaseholdError('SETTING_INVALID', `ttlMs: a lead of ${ttlMs} ms is not possible`, {
    field: 'ttlMs',
    value: String(ttlMs),
    remedy: `Use whole milliseconds from 1 to ${LEAD_TTL_MS_MAX}.`,
  });
}

/** Each as text. Throws `PLAN_INVALID` when they cannot be stored together with a plan. */
export function decisionTexts(decisions: readonly Decision[], planBytes: number): string[] {
  const texts = decisions.map((decision) => JSON.stringify(decision));
  const bytes = texts.reduce((sum, { length }) => sum + length, planBytes);
  if (texts.length <= DECISIONS_PER_PLAN_MAX && bytes <= PLAN_BYTES_MAX) return texts;
  const value = `${texts.length} decisions, ${bytes} bytes with the plan`;
  throw new LeaseholdError('PLAN_INVALID', `decisions: too many or too long: ${value}`, {
    field: 'decisions',
    value,
    remedy: `Write at most ${DECISIONS_PER_PLAN_MAX} decisions with a plan; sum small ones up.`,
  });
}

/** Throws `PLAN_INVALID` for what is no entry. */
export function journalEntry(
  id: string,
  { version, atMs, text }: { version: number; atMs: number; text: string },
): JournalEntry {
  const value = parsed(text);
  const isDecision =
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Decision).kind === 'string' &&
    Array.isArray((value as Decision).regions);
  if (!isDecision || !Number.isFinite(version) || !Number.isFinite(atMs)) {
    throw new LeaseholdError('PLAN_INVALID', `journal: entry ${id} is no decision`, {
      field: 'journal',
      value: text.slice(0, 80),
      remedy: 'Read on behind it: it was written by another version.',
    });
  }
  return { ...(value as Decision), id, atMs, version };
}

export function podUnknown(pod: string): LeaseholdError {
  return new LeaseholdError('POD_UNKNOWN', `no pod is called ${pod}`, {
    field: 'pod',
    value: pod,
    remedy: 'Take the name of a pod that `leasehold pods` lists.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
