/** From values to places on a chart: straight or logarithmic, with round numbers beside it. */

export type Axis = { readonly label: string; readonly isLog?: boolean };

export type Scale = {
  /** Values outside of the scale end at its edge. */
  at(value: number): number;
  readonly ticks: readonly number[];
};

const TICKS_AIM = 5;
/** Below this many decades one round number in each is too few. */
const DECADES_FEW = 2;

/** A scale that shows all values, from place `from` to place `to`. */
export function scaleOf(
  { isLog = false }: Axis,
  values: readonly number[],
  from: number,
  to: number,
): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const ticks = isLog ? logTicks(known) : linearTicks(known);
  const turn = isLog ? Math.log10 : (value: number): number => value;
  const low = turn(ticks[0] as number);
  const high = turn(ticks.at(-1) as number);
  const at = (value: number): number => {
    const part = isLog && value <= 0 ? 0 : (turn(value) - low) / (high - low);
    return from + (to - from) * Math.min(1, Math.max(0, part));
  };
  return { at, ticks };
}

/** From 0, or the round number below the lowest, to the round number above the highest. */
function linearTicks(values: readonly number[]): number[] {
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + 1e-9);
  const raw = (high - low) / TICKS_AIM;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = decade * ([1, 2, 2.5, 5, 10].find((part) => part * decade >= raw) as number);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => rounded((first + i) * step));
}

function logTicks(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values, 1e9)) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values, 1e-9)) - 1e-9));
  const parts = last - first <= DECADES_FEW ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let decade = first; decade < last; decade++) {
    for (const part of parts) ticks.push(rounded(part * 10 ** decade));
  }
  return [...ticks, rounded(10 ** last)];
}

const rounded = (value: number): number => Number(value.toPrecision(12));

const COMPACT = new Intl.NumberFormat('en-US', {
  notation: 'compact',
  maximumSignificantDigits: 3,
});

/** A number as short as it can be read: 1.5K, 20M. */
export const amount = (value: number): string => COMPACT.format(value);
