/** `leasehold drain`: a pod hands everything over and ends, and what became of its cells is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Head, PodRecord } from '@leasehold/protocol';
import { openInterrupt } from '../interrupt.ts';
import { type OpenWorld, seenByPod, type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count } from '../text-table.ts';

export type DrainOptions = WorldFlags & {
  readonly pod: string;
  /** How long its end is waited for. */
  readonly seconds: number;
};

export type DrainReport = {
  readonly world: string;
  /** The pod's. */
  readonly layer: string;
  readonly pod: string;
  /** `gone` in order; `killed`: it ended without a word; `draining`: it has not ended yet. */
  readonly end: 'gone' | 'killed' | 'draining';
  readonly seconds: number;
  readonly cellsBefore: number;
  /** Cells that others have taken over from it, by whether it had given them up. */
  readonly handedOver: number;
  readonly takenByExpiry: number;
  /** The longest that a cell has missed ticks for it. */
  readonly gapTicksMax: number;
  /** Cells whose lease still names it. */
  readonly cellsLeft: number;
  readonly exitCode: number;
};

const LOOK_MS = 50;
/** A line of progress this often where the view cannot be redrawn. */
const PLAIN_EVERY_MS = 1_000;
/** A pod that is alive has connected again by then. */
const ABSENT_MS = 1_000;
/** Heirs tell the feed what they took over within a few rounds. */
const TOLD_MS = 1_000;
const HEADS_MAX = 1_000;

export function drain(options: DrainOptions, output: Output): Promise<number> {
  return withWorld(options, output, async (open) => {
    const end = new AbortController();
    const interrupt = openInterrupt(
      () => end.abort(),
      () => undefined,
    );
    try {
      const report = await drainPod(open, options, output, end.signal);
      output.json(report);
      output.print(sentence(report));
      return report.exitCode;
    } finally {
      interrupt.close();
    }
  });
}

/** A pod of any layer. Nothing is printed but progress. Errors: `POD_UNKNOWN`. */
export async function drainPod(
  open: OpenWorld,
  options: DrainOptions,
  output: Output,
  signal: AbortSignal,
): Promise<DrainReport> {
  return new Drain(await seenByPod(open, options.pod), options, output, signal).run();
}

class Drain {
  readonly #open: OpenWorld;
  readonly #options: DrainOptions;
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #startedMs = performance.now();
  readonly #taken = { handedOver: 0, takenByExpiry: 0, gapTicksMax: 0 };
  #feedAfter = '';
  #plainMs = 0;

  constructor(open: OpenWorld, options: DrainOptions, output: Output, signal: AbortSignal) {
    this.#open = open;
    this.#options = options;
    this.#output = output;
    this.#signal = signal;
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** Errors: `POD_UNKNOWN`. */
  async run(): Promise<DrainReport> {
    const { plans, world, layer } = this.#open;
    const { pod } = this.#options;
    this.#feedAfter = `${Math.floor(plans.nowMs())}-0`;
    await plans.order(pod, 'drain');
    const { before, others } = await this.#first();
    if (others === 0) {
      this.#output.warn('no other pod may take its cells: they stand still until one comes');
    }
    const end = await this.#untilGone(before);
    const seconds = this.#elapsedMs / 1000;
    if (end !== 'draining' && others > 0) await this.#untilTold(before);
    await this.#readFeed();
    const cellsLeft = await this.#cellsLeft();
    const isClean = end === 'gone' && cellsLeft + this.#taken.takenByExpiry === 0;
    return {
      ...{ world, layer, pod, end, seconds, cellsBefore: before, ...this.#taken, cellsLeft },
      exitCode: isClean ? 0 : 1,
    };
  }

  /** What it had when it was asked, and how many may take it. */
  async #first() {
    const { plans } = this.#open;
    const [records, orders] = await Promise.all([plans.pods(), plans.orders()]);
    const { pod } = this.#options;
    const others = records.filter(
      (other) => other.pod !== pod && other.state === 'ready' && !orders.has(other.pod),
    ).length;
    return { before: cellsOf(records.find((record) => record.pod === pod)), others };
  }

  async #untilGone(before: number): Promise<DrainReport['end']> {
    const { plans } = this.#open;
    const { pod, seconds } = this.#options;
    let absentMs = 0;
    while (!this.#signal.aborted && this.#elapsedMs < seconds * 1000) {
      const record = (await plans.pods()).find((other) => other.pod === pod);
      // Who ends in order takes its record along.
      if (record === undefined) return 'gone';
      const isHere = (await plans.connected([pod])).has(pod);
      if (isHere) absentMs = 0;
      else if (absentMs === 0) absentMs = this.#elapsedMs;
      else if (this.#elapsedMs - absentMs > ABSENT_MS) return 'killed';
      await this.#readFeed();
      this.#say(cellsOf(record), before);
      await sleep(LOOK_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
    return 'draining';
  }

  #say(left: number, before: number): void {
    const line = `${this.#options.pod} drains: ${left} of ${before} cells left`;
    this.#output.live([`  ${line}`]);
    if (this.#output.isLive || this.#elapsedMs < this.#plainMs) return;
    this.#plainMs = this.#elapsedMs + PLAIN_EVERY_MS;
    this.#output.progress(line);
  }

  async #untilTold(before: number): Promise<void> {
    const untilMs = this.#elapsedMs + TOLD_MS;
    const isTold = (): boolean => this.#taken.handedOver + this.#taken.takenByExpiry >= before;
    for (await this.#readFeed(); !isTold() && this.#elapsedMs < untilMs; await this.#readFeed()) {
      await sleep(LOOK_MS);
    }
  }

  async #readFeed(): Promise<void> {
    const { id, entries } = await this.#open.store.readFeed(this.#feedAfter);
    this.#feedAfter = id;
    for (const { kind, facts } of entries) {
      if (kind !== 'takeover' || facts['from'] !== this.#options.pod) continue;
      const isSudden = facts['cause'] === 'revoked' || facts['cause'] === 'expired';
      this.#taken[isSudden ? 'takenByExpiry' : 'handedOver'] += Number(facts['cells']);
      const gapTicks = Number(facts['gapTicks']);
      this.#taken.gapTicksMax = Math.max(this.#taken.gapTicksMax, gapTicks);
    }
  }

  async #cellsLeft(): Promise<number> {
    const { grid, store } = this.#open;
    const isIts = (head: object): boolean =>
      'nonce' in head && String((head as Head).nonce).startsWith(`${this.#options.pod}.`);
    let left = 0;
    for (let from = 0; from < grid.cells; from += HEADS_MAX) {
      const length = Math.min(HEADS_MAX, grid.cells - from);
      const heads = await store.heads(Array.from({ length }, (_, i) => from + i));
      left += heads.filter(isIts).length;
    }
    return left;
  }
}

const cellsOf = (record: PodRecord | undefined): number => record?.report['cells'] ?? 0;

function sentence(report: DrainReport): string {
  const { pod, end, handedOver, takenByExpiry, gapTicksMax, cellsLeft } = report;
  const after = `after ${report.seconds.toFixed(1)} s`;
  if (end === 'draining') {
    return `${pod} still holds ${count(cellsLeft, 'cell')} ${after}; it goes on draining`;
  }
  const taken =
    `${count(handedOver, 'cell')} handed over, at most ${count(gapTicksMax, 'tick')} missed` +
    (takenByExpiry === 0 ? '' : `; ${takenByExpiry} taken from it when it was gone`) +
    (cellsLeft === 0 ? '' : `; ${cellsLeft} left, whose leases end by themselves`);
  return `${pod} ${end === 'gone' ? 'is gone' : 'ended without a word'} ${after}: ${taken}`;
}
