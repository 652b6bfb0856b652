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
  run(say: (line: string) => void): Promise<readonly Figure[]>;
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
