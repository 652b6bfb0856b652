/**
 * What people want to know of the plan: its regions with what they cost, and why it is as it is.
 * Loads and the journal are read from the store while anybody wants them.
 */
import type { Clock } from '@leasehold/kernel';
import { gatherLoads, type Loads } from '@leasehold/plan';
import type { JournalEntry, Plan, PlanStore, Rect } from '@leasehold/protocol';
import {
  encodeJsonPart,
  encodePlanPart,
  type JournalItem,
  type PlanRegion,
  type PlanView,
} from '@leasehold/protocol/view';
import type { PlanWatch } from './plan-watch.ts';

/** As often as pods say what their cells cost. */
const LOADS_MS = 1_000;
const JOURNAL_MS = 500;
/** What a newcomer is told of the past, as far as it fits. */
const KEPT_MAX = 50;
const KEPT_BYTES_MAX = 24 * 1024;
/** Of the journal, in one look: of more, the rest is read in the next. */
const ENTRIES_PER_LOOK_MAX = 1_000;
/** How far back the past is looked for, one after the other, until there is enough of it. */
const PASTS_MS: readonly number[] = [60_000, 600_000, 7_200_000];
/** Most that is told of one entry. */
const CAUSE_CHARS_MAX = 300;
const REGIONS_MAX = 32;
const PODS_MAX = 8;

export type PlanTellerParts = {
  /** For loads and the journal; without it the plan is told without them. */
  readonly store?: PlanStore | undefined;
  readonly watch: PlanWatch;
  readonly clock: Clock;
  readonly grid: { readonly columns: number; readonly rows: number; readonly cells: number };
  /** Sends a part to everybody who wants to know. */
  readonly tell: (part: Uint8Array) => void;
};

export class PlanTeller {
  readonly #parts: PlanTellerParts;
  #loads: Loads | undefined;
  #told: Plan | undefined;
  #planPart: Uint8Array | undefined;
  #journal: Uint8Array[] = [];
  /** Of the last entry that was read; undefined before the past was. */
  #afterId: string | undefined;
  #loadsAtMs = Number.NEGATIVE_INFINITY;
  #journalAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PlanTellerParts) {
    this.#parts = parts;
  }

  /** All that somebody who has just come is told, oldest first. */
  get parts(): readonly Uint8Array[] {
    return this.#planPart === undefined ? [] : [this.#planPart, ...this.#journal];
  }

  /** Reads what is due and tells what is new. Rejects when the store cannot be read. */
  async look(): Promise<void> {
    const { watch, clock, tell } = this.#parts;
    if (!watch.isRead) return;
    const nowMs = clock.nowMs();
    const areDue = watch.plan !== undefined && nowMs - this.#loadsAtMs >= LOADS_MS;
    if (areDue) await this.#readLoads(nowMs);
    // The watch may have read another plan meanwhile: what is told now is said to be that.
    const { plan } = watch;
    if (areDue || plan !== this.#told || this.#planPart === undefined) {
      this.#told = plan;
      this.#planPart = encodePlanPart(planView(plan, this.#loads, this.#parts.grid));
      tell(this.#planPart);
    }
    if (nowMs - this.#journalAtMs < JOURNAL_MS) return;
    this.#journalAtMs = nowMs;
    await this.#readJournal();
  }

  async #readLoads(nowMs: number): Promise<void> {
    const { store, grid } = this.#parts;
    this.#loadsAtMs = nowMs;
    if (store === undefined) return;
    const reports = await store.loads();
    this.#loads = gatherLoads({ reports, cells: grid.cells, nowMs, last: this.#loads });
  }

  async #readJournal(): Promise<void> {
    const { store, tell } = this.#parts;
    if (store === undefined) return;
    const isFirst = this.#afterId === undefined;
    const entries = await (this.#afterId === undefined
      ? past(store)
      : store.journal(this.#afterId, ENTRIES_PER_LOOK_MAX));
    this.#afterId = entries.at(-1)?.id ?? this.#afterId ?? '';
    const parts = entries
      .slice(-KEPT_MAX)
      .map((entry) => encodeJsonPart('journal', journalItem(entry)));
    if (parts.length === 0) return;
    this.#journal = newest([...this.#journal, ...parts]);
    for (const part of isFirst ? this.#journal : newest(parts)) tell(part);
  }
}

/**
 * The end of the journal. PERF: it is read from its beginning on, so first the end of it is tried;
 * all of it is some MB, and is read where nothing was decided for long.
 */
async function past(store: PlanStore): Promise<JournalEntry[]> {
  for (const pastMs of [...PASTS_MS, Number.POSITIVE_INFINITY]) {
    const found: JournalEntry[] = [];
    const fromMs = Math.max(0, Math.floor(store.nowMs() - pastMs));
    for (let after = fromMs === 0 ? '' : `${fromMs}-0`; ; ) {
      const some = await store.journal(after, ENTRIES_PER_LOOK_MAX);
      found.push(...some);
      after = some.at(-1)?.id ?? after;
      if (some.length < ENTRIES_PER_LOOK_MAX) break;
    }
    if (found.length >= KEPT_MAX || fromMs === 0) return found;
  }
  return [];
}

/** As many of the last as a newcomer is told. */
function newest(parts: readonly Uint8Array[]): Uint8Array[] {
  let bytes = 0;
  const first = parts.findLastIndex((part, i) => {
    bytes += part.length;
    return parts.length - i > KEPT_MAX || bytes > KEPT_BYTES_MAX;
  });
  return parts.slice(first + 1);
}

const NO_PLAN: PlanView = { version: 0, atMs: 0, regionCount: 0, regions: [], asleep: [] };

function planView(
  plan: Plan | undefined,
  loads: Loads | undefined,
  grid: PlanTellerParts['grid'],
): PlanView {
  if (plan === undefined) return NO_PLAN;
  const { version, atMs } = plan;
  // Made for another grid: who draws it goes through its cells one by one.
  const fitting = plan.regions.filter(({ rect }) => isWithin(rect, grid));
  const regions = fitting.map((region) => ({ ...region, ...loadOf(region.rect, loads, grid) }));
  const asleep = plan.asleep.filter(([first, count]) => first + count <= grid.cells);
  return { version, atMs, regionCount: plan.regions.length, regions, asleep };
}

const isWithin = (rect: Rect, { columns, rows }: PlanTellerParts['grid']): boolean =>
  rect.column + rect.columns <= columns && rect.row + rect.rows <= rows;

function loadOf(
  rect: Rect,
  loads: Loads | undefined,
  { columns }: PlanTellerParts['grid'],
): Pick<PlanRegion, 'tickMs' | 'entities'> {
  const sum = { tickMs: 0, entities: 0 };
  if (loads === undefined) return sum;
  for (let row = rect.row; row < rect.row + rect.rows; row++) {
    const first = row * columns + rect.column;
    for (let cell = first; cell < first + rect.columns; cell++) {
      sum.tickMs += loads.tickMs[cell] as number;
      sum.entities += loads.entities[cell] as number;
    }
  }
  return sum;
}

/** What of an entry is told: a plan of a thousand regions is made in one decision. */
function journalItem(entry: JournalEntry): JournalItem {
  const { id, atMs, version, kind, cause, regions, cells, before, expected } = entry;
  const loadOfPod = (pod: string): number => Math.max(before[pod] ?? 0, expected[pod] ?? 0);
  const pods = [...new Set([...Object.keys(before), ...Object.keys(expected)])];
  pods.sort((a, b) => loadOfPod(b) - loadOfPod(a));
  const most = pods.slice(0, PODS_MAX);
  const some = (loads: Readonly<Record<string, number>>) =>
    Object.fromEntries(most.flatMap((pod) => (pod in loads ? [[pod, loads[pod] as number]] : [])));
  return {
    ...{ id, atMs, version, kind, cells },
    cause: cause.length > CAUSE_CHARS_MAX ? `${cause.slice(0, CAUSE_CHARS_MAX)} …` : cause,
    regions: regions.slice(0, REGIONS_MAX),
    before: some(before),
    expected: some(expected),
  };
}
