/** What a benchmark is and what it measures; and the few sums that all of them need. */
import type { Chart } from './charts.ts';

export type Figure = {
  readonly name: string;
  readonly value: number;
  /** `×` first: a ratio of two things measured in the same run, of which more is better. */
  readonly unit: string;
  /** What it should be, for people. */
  readonly target?: string;
  readonly isMet?: boolean;
};

export type Measured = {
  readonly figures: readonly Figure[];
  /** Drawn one below the other in the benchmark's picture. */
  readonly charts?: readonly Chart[];
};

export type Benchmark = {
  readonly tag: string;
  readonly what: string;
  /** `isQuick`: only to see that it runs; figures need mean nothing, and have no target. */
  run(
    say: (line: string) => void,
    options: { readonly isQuick: boolean },
  ): Promise<Measured | readonly Figure[]>;
};

/** Ratios are taken within one run, so they mean the same on every machine. */
export const isRatio = ({ unit }: Pick<Figure, 'unit'>): boolean => unit.startsWith('×');

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

/** A value as tables show it: four digits that count. */
export const shown = (value: number): string =>
  Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 6 });
