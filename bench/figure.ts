export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it should be, for people. */
  readonly target?: string;
  readonly isMet?: boolean;
};

export type Benchmark = {
  readonly tag: string;
  readonly what: string;
  /** `isQuick`: only to see that it runs; figures need mean nothing, and have no target. */
  run(
    say: (line: string) => void,
    options: { readonly isQuick: boolean },
  ): Promise<readonly Figure[]>;
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Values at these parts of the ascending list; 0 where there is none. */
export function quantiles(values: readonly number[]) {
  const sorted = Float64Array.from(values).sort();
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
