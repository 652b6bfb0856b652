/**
 * What happened last in a world, in lines for people. Takeovers come block by block, many at once;
 * those of one pod's cells by another, close together, are one line.
 */
import type { FeedEntry } from '@leasehold/protocol';

const KEPT_MAX = 8;
/** A pod's blocks are taken within two seconds; what comes later is another happening. */
const TOGETHER_S = 3;

/** Why a holder's leases ended, after "took … of …" and before what it cost. */
const CAUSES: Readonly<Record<string, string>> = {
  revoked: 'gone',
  expired: 'silent',
  handover: 'handed over',
  released: 'released',
};

type Taking = { cells: number; gapMs: number; gapTicks: number };
type Facts = FeedEntry['facts'];
type Happening = { atS: number; key: string; text: string; taking?: Taking };

export class Happenings {
  readonly #kept: Happening[] = [];
  /** On the store's clock: what ended before it was no gap, because time did not run. */
  runningSinceMs = 0;
  /** Blocks whose holder was gone or silent. */
  takeovers = 0;
  /** Blocks that were handed over or released in order. */
  handovers = 0;

  /** Newest first. */
  get lines(): readonly string[] {
    return this.#kept
      .map(({ atS, text }) => `${`${Math.floor(atS)} s`.padStart(7)}  ${text}`)
      .reverse();
  }

  say(atS: number, text: string): void {
    this.#keep({ atS, key: '', text });
  }

  hear(atS: number, { kind, pod, facts }: FeedEntry): void {
    if (kind === 'takeover') {
      this.#take(atS, pod, facts);
      return;
    }
    const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    const what = kind === 'overloaded' ? 'OVERLOADED' : kind;
    this.say(atS, `${pod} ${what}: ${told.join(', ')}`);
  }

  #take(atS: number, pod: string, facts: Facts): void {
    const cause = String(facts['cause'] ?? '');
    const from = String(facts['from'] ?? '');
    const isStart = Number(facts['lastAtMs'] ?? 0) < this.runningSinceMs;
    if (!isStart && (cause === 'handover' || cause === 'released')) this.handovers++;
    else if (!isStart) this.takeovers++;
    const key = isStart ? `${pod} ${from}` : `${pod} ${from} ${cause}`;
    const isSame = (one: Happening): boolean => one.key === key && atS - one.atS <= TOGETHER_S;
    const known = this.#kept.find(isSame);
    const taking = known?.taking ?? { cells: 0, gapMs: 0, gapTicks: 0 };
    taking.cells += Number(facts['cells'] ?? 1);
    taking.gapMs = Math.max(taking.gapMs, Number(facts['gapMs'] ?? 0));
    taking.gapTicks = Math.max(taking.gapTicks, Number(facts['gapTicks'] ?? 0));
    const text = isStart
      ? `${pod} starts with ${taking.cells} cells of ${from}`
      : `${pod} took ${taking.cells} cells of ${from} (${CAUSES[cause] ?? cause}), ${gapOf(taking)}`;
    if (known === undefined) this.#keep({ atS, key, text, taking });
    else known.text = text;
  }

  #keep(happening: Happening): void {
    this.#kept.push(happening);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }
}

function gapOf({ gapMs, gapTicks }: Taking): string {
  return `gap ${gapMs.toFixed(0)} ms, ${gapTicks} tick${gapTicks === 1 ? '' : 's'}`;
}
