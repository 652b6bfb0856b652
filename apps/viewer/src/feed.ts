/**
 * The world's feed in sentences. A pod's death makes one entry per block and taker; people want one
 * line, so entries of one burst are told together. Pure: times are those of the entries.
 */
import type { FeedItem } from '@leasehold/client';
import { counted, listed, whole } from './format.ts';

export type FeedLine = {
  /** Stays the same while the line grows. */
  readonly key: string;
  readonly atMs: number;
  readonly tone: 'death' | 'good' | 'bad' | 'note';
  readonly text: string;
};

/** Entries of one burst are no farther apart than this. */
const BURST_MS = 4_000;
/** A machine that is too slow makes pods fall behind again and again: that is one line. */
const JUMPS_BURST_MS = 30_000;
/** Enough to scroll back over a handful of deaths. */
const LINES_MAX = 60;

type Burst = {
  readonly key: string;
  readonly subject: string;
  readonly kind: string;
  readonly atMs: number;
  lastMs: number;
  readonly items: FeedItem[];
  /** Whether the pod it is about was seen to be gone afterwards. */
  isGone: boolean;
};

export class Feed {
  #bursts: Burst[] = [];
  #born = 0;

  /** Newest first. */
  get lines(): readonly FeedLine[] {
    return this.#bursts.map(lineOf);
  }

  add(items: readonly FeedItem[]): void {
    for (const item of items) {
      const subject = subjectOf(item);
      const open = this.#bursts.find(
        (burst) =>
          burst.kind === item.kind &&
          burst.subject === subject &&
          Math.abs(item.atMs - burst.lastMs) <= (item.kind === 'jump' ? JUMPS_BURST_MS : BURST_MS),
      );
      if (open !== undefined && item.kind !== 'audit') {
        open.items.push(item);
        open.lastMs = Math.max(open.lastMs, item.atMs);
        continue;
      }
      const { kind, atMs } = item;
      const key = `${atMs}-${this.#born++}`;
      this.#bursts.unshift({
        key,
        subject,
        kind,
        atMs,
        lastMs: atMs,
        items: [item],
        isGone: false,
      });
    }
    this.#bursts = this.#bursts.slice(0, LINES_MAX);
  }

  /**
   * Which pods live. Cells are taken from whoever does not renew its leases; only afterwards is it
   * seen whether that pod was dead or too busy. And who is gone waits for nothing, and does not say so.
   */
  seeLiving(pods: ReadonlySet<string>): void {
    for (const burst of this.#bursts) {
      const first = burst.items[0]!;
      if (burst.kind === 'cooling-waits') burst.isGone = !pods.has(first.pod);
      if (burst.isGone || burst.kind !== 'takeover' || !wasForced(first)) continue;
      burst.isGone = !pods.has(String(first.facts['from']));
    }
  }
}

/** Whom an entry is about: entries about the same, at the same time, are one line. */
function subjectOf({ kind, pod, facts }: FeedItem): string {
  if (kind === 'takeover') return `${facts['from']} ${facts['cause']}`;
  if (kind === 'jump') return '';
  return kind === 'frozen' ? `${pod} ${facts['why']}` : pod;
}

function lineOf({ key, kind, atMs, items, isGone }: Burst): FeedLine {
  const line = (tone: FeedLine['tone'], text: string): FeedLine => ({ key, atMs, tone, text });
  const first = items[0]!;
  switch (kind) {
    case 'takeover':
      return line(isGone ? 'death' : 'note', takeoverText(items, isGone));
    case 'audit':
      return line(auditFaults(first).length > 0 ? 'bad' : 'good', auditText(first));
    case 'jump': {
      const ticks = Math.max(...items.map((item) => numberOf(item, 'jumped')));
      const who = listed([...new Set(items.map((item) => item.pod))].sort());
      return line('note', `${who} fell behind: ${cellsText(items)} jumped ${upTo(ticks)}`);
    }
    case 'frozen':
      return line('bad', `${first.pod} froze ${cellsText(items)}: ${first.facts['why'] ?? ''}`);
    case 'overloaded':
      return line('bad', `OVERLOADED: ${first.pod}, ${costText(first)}`);
    case 'dilation': {
      const last = items.at(-1)!;
      const every = numberOf(last, 'dilation');
      const rate = every > 1 ? `at 1/${every}` : 'as ever again';
      return line('note', `${last.pod}: time runs ${rate} in ${costText(last)}`);
    }
    case 'reload': {
      const cells = sumOf(items, 'cells');
      return line('note', `${first.pod} read ${counted(cells, 'cell')} again from the store`);
    }
    case 'cooling-waits': {
      const until = isGone ? ' until it was gone' : '';
      return line(
        'note',
        `${first.pod} moved no cell to sleep${until}: ${first.facts['why'] ?? ''}`,
      );
    }
    case 'cooling-goes-on':
      return line('note', `${first.pod} moves cells to sleep again`);
    default:
      return line('note', [kind, first.pod, factsText(first)].filter(Boolean).join(' · '));
  }
}

/** Of the cell of a region that costs most. */
function costText({ facts }: FeedItem): string {
  const { region, cell, tickMs, budgetMs } = facts;
  return `region ${region}, where cell ${cell} costs ${tickMs} of ${budgetMs} ms`;
}

const wasForced = ({ facts }: FeedItem): boolean =>
  facts['cause'] === 'revoked' || facts['cause'] === 'expired';

function takeoverText(items: readonly FeedItem[], isDeath: boolean): string {
  const first = items[0]!;
  const from = String(first.facts['from'] ?? 'a pod');
  const takers = listed([...new Set(items.map((item) => item.pod))].sort());
  const cells = counted(sumOf(items, 'cells'), 'cell');
  const gapMs = Math.max(...items.map((item) => numberOf(item, 'gapMs')));
  const gapTicks = Math.max(...items.map((item) => numberOf(item, 'gapTicks')));
  const gap = `${whole(gapMs)} ms, ${counted(gapTicks, 'tick')}`;
  if (isDeath) return `${from} died: ${cells} taken by ${takers} in ${gap}`;
  if (takers === from) return `${from} let go of ${cells} and took them again after ${gap}`;
  if (wasForced(first)) return `${from} was silent: ${cells} taken by ${takers} after ${gap}`;
  if (first.facts['cause'] === 'handover') return `${from} handed ${cells} to ${takers} in ${gap}`;
  return `${from} left ${cells}, taken by ${takers} in ${gap}`;
}

function auditFaults(item: FeedItem): string[] {
  return [
    [numberOf(item, 'lost'), 'lost'],
    [numberOf(item, 'duplicated'), 'duplicated'],
    [numberOf(item, 'violations'), 'rules violated'],
  ].flatMap(([count, what]) => (Number(count) > 0 ? [`${whole(Number(count))} ${what}`] : []));
}

function auditText(item: FeedItem): string {
  const faults = auditFaults(item);
  const verdict = faults.length === 0 ? 'nothing lost' : listed(faults);
  return `auditor: ${verdict}, ${whole(numberOf(item, 'entities'))} entities`;
}

function cellsText(items: readonly FeedItem[]): string {
  const cells = new Set(items.map((item) => numberOf(item, 'cell')));
  return cells.size === 1 ? `cell ${[...cells][0]}` : counted(cells.size, 'cell');
}

const upTo = (ticks: number): string =>
  ticks === 1 ? '1 tick' : `up to ${counted(ticks, 'tick')}`;

function factsText({ facts }: FeedItem): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function numberOf({ facts }: FeedItem, name: string): number {
  const value = Number(facts[name] ?? 0);
  return Number.isFinite(value) ? value : 0;
}

const sumOf = (items: readonly FeedItem[], name: string): number =>
  items.reduce((sum, item) => sum + numberOf(item, name), 0);
