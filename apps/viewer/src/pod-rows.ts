/**
 * The table of pods: what each reports of itself, joined with which cells it holds, with rates and
 * totals of its counters. Pure: the caller says what time it is.
 */
import type { Holders, PodStatus, Status } from '@leasehold/client';
import { Rate, Tally } from './rates.ts';

export type PodRow = {
  readonly pod: string;
  /** 0 = not known. */
  readonly pid: number;
  readonly state: string;
  readonly isGone: boolean;
  readonly cells: number;
  readonly entities: number;
  readonly tickMsP50: number | undefined;
  readonly tickMsP99: number | undefined;
  readonly commitsPerS: number | undefined;
};

/** A pod that is gone and holds nothing is shown for this long. */
const GONE_SHOWN_MS = 15_000;

export class PodRows {
  readonly #commits = new Map<string, Rate>();
  readonly #births = new Tally();
  readonly #deaths = new Tally();
  /** By name: when it was last seen connected. */
  readonly #seenAtMs = new Map<string, number>();
  #pods: readonly PodStatus[] = [];

  /** Of all pods that were ever heard of, the dead included. */
  get births(): number {
    return this.#births.total;
  }

  get deaths(): number {
    return this.#deaths.total;
  }

  note({ pods }: Status, nowMs: number): void {
    this.#pods = pods;
    const lives = new Set(pods.map(lifeOf));
    for (const life of this.#commits.keys()) if (!lives.has(life)) this.#commits.delete(life);
    for (const pod of pods) {
      const life = lifeOf(pod);
      this.#births.note(life, pod.report['births'] ?? 0);
      this.#deaths.note(life, pod.report['deaths'] ?? 0);
      const commits = this.#commits.get(life) ?? new Rate();
      commits.add(nowMs, pod.report['commits'] ?? 0);
      this.#commits.set(life, commits);
      if (pod.isConnected) this.#seenAtMs.set(pod.pod, nowMs);
    }
  }

  /** Who lives, who still has cells, and who has just gone; by name, numbers as numbers. */
  rows(holders: Holders | undefined, nowMs: number): PodRow[] {
    const known = new Map(this.#pods.map((pod) => [pod.pod, pod]));
    const cells = cellsByPod(holders);
    const names = [...new Set([...known.keys(), ...cells.keys(), ...this.#seenAtMs.keys()])];
    return names.sort(byNumber).flatMap((name) => {
      const pod = known.get(name);
      const held = cells.get(name) ?? 0;
      const isGone = pod?.isConnected !== true;
      // Also true of a pod that is only just starting: it has not been seen at all.
      const isForgotten = nowMs - (this.#seenAtMs.get(name) ?? -Infinity) > GONE_SHOWN_MS;
      if (isGone && held === 0 && isForgotten) return [];
      return [this.#row(name, isGone ? undefined : pod, pod?.pid ?? 0, held)];
    });
  }

  #row(name: string, living: PodStatus | undefined, pid: number, cells: number): PodRow {
    return {
      pod: name,
      pid,
      state: living?.state ?? 'gone',
      isGone: living === undefined,
      cells,
      entities: living?.report['entities'] ?? 0,
      tickMsP50: living?.report['tickMsP50'],
      tickMsP99: living?.report['tickMsP99'],
      commitsPerS: living && this.#commits.get(lifeOf(living))?.perSecond,
    };
  }
}

/** A pod that starts again under the same name counts from zero. */
const lifeOf = ({ pod, pid }: PodStatus): string => `${pod} ${pid}`;

const byNumber = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

function cellsByPod(holders: Holders | undefined): Map<string, number> {
  const cells = new Map<string, number>();
  if (holders === undefined) return cells;
  const counts = new Uint32Array(holders.pods.length + 1);
  for (const holder of holders.cells) counts[holder]!++;
  for (const [i, pod] of holders.pods.entries()) {
    if (counts[i + 1]! > 0) cells.set(pod, counts[i + 1]!);
  }
  return cells;
}
