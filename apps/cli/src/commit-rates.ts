/** How many cells each pod commits a second, from the counters that it reports. */
import type { Pod } from './fleet.ts';

/** Pods report a few times a second; a rate over less than this would jump with every report. */
const RATE_MS = 1_000;

export class CommitRates {
  readonly perS = new Map<string, number>();
  readonly #counted = new Map<string, { readonly commits: number; readonly atMs: number }>();

  note(pods: readonly Pod[], nowMs: number): void {
    for (const { name, report } of pods) {
      const commits = report['commits'] ?? 0;
      const { commits: before, atMs } = this.#counted.get(name) ?? { commits: 0, atMs: 0 };
      if (nowMs - atMs < RATE_MS) continue;
      this.#counted.set(name, { commits, atMs: nowMs });
      if (atMs > 0) this.perS.set(name, ((commits - before) * 1000) / (nowMs - atMs));
    }
  }
}
