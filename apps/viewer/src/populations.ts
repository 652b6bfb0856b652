/** How many there were of each kind, over the last minutes, for curves. */

/** Five minutes at two a second. */
const POINTS_MAX = 600;

export type Curve = {
  readonly name: string;
  /** Oldest first. */
  readonly counts: readonly number[];
};

export class Populations {
  readonly #counts = new Map<string, number[]>();
  #tick = -1;

  /** What a status has told; while time stands still nothing is added. */
  add(tick: number, kinds: Readonly<Record<string, number>>): void {
    // Another world, or one that went back, has other curves.
    if (tick < this.#tick) this.#counts.clear();
    if (tick === this.#tick) return;
    this.#tick = tick;
    for (const [name, count] of Object.entries(kinds)) {
      const counts = this.#counts.get(name) ?? [];
      this.#counts.set(name, counts);
      counts.push(count);
      if (counts.length > POINTS_MAX) counts.shift();
    }
  }

  curves(): Curve[] {
    return [...this.#counts].map(([name, counts]) => ({ name, counts: [...counts] }));
  }
}

/**
 * The points of a curve in a box, for `polyline`. Each curve has a scale of its own, from 0 to its
 * highest: kinds differ by orders of magnitude, and what is looked for is who follows whom.
 */
export function pointsOf({ counts }: Curve, width: number, height: number): string {
  const most = Math.max(1, ...counts);
  const step = width / Math.max(1, counts.length - 1);
  return counts
    .map((count, i) => `${(i * step).toFixed(1)},${(height - (count / most) * height).toFixed(1)}`)
    .join(' ');
}
