/** From values to places on a chart: straight or logarithmic, with round numbers beside it. */

export type Axis = { readonly label: string; readonly isLog?: boolean };

export type Scale = {
  /** Values outside of the scale end at its edge. */
  at(value: number): number;
  readonly ticks: readonly number[];
};

const TICKS_AIM = 5;
/** With so many decades one round number in each is too few. */
const DECADES_FEW = 2;

/** A scale that shows all values, from place `from` to place `to`. */
export function scaleOf(
  { isLog = false }: Axis,
  values: readonly number[],
  from: number,
  to: number,
): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const all = isLog ? logTicks(known) : linearTicks(known);
  const ticks = isLog ? readable(all) : all;
  const turn = isLog ? Math.log10 : (value: number): number => value;
  const low = turn(all[0] as number);
  const high = turn(all.at(-1) as number);
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

/** 1, 2 and 5 of each decade, from the one below the lowest to the one above the highest. */
function logTicks(values: readonly number[]): number[] {
  const low = Math.min(...values, 1e9);
  const high = Math.max(...values, low * (1 + 1e-9));
  const ticks: number[] = [];
  for (let decade = Math.floor(Math.log10(low)) - 1; ; decade++) {
    for (const part of [1, 2, 5]) {
      const tick = rounded(part * 10 ** decade);
      if (tick <= low) ticks.length = 0;
      ticks.push(tick);
      if (tick >= high && ticks.length > 1) return ticks;
    }
  }
}

/** Over many decades only the decades are written. */
function readable(ticks: readonly number[]): readonly number[] {
  const decades = ticks.filter((tick) => Math.abs(Math.log10(tick) % 1) < 1e-9);
  return decades.length > DECADES_FEW ? decades : ticks;
}

const rounded = (value: number): number => Number(value.toPrecision(12));

const COMPACT = new Intl.NumberFormat('en-US', {
  notation: 'compact',
  maximumSignificantDigits: 3,
});

/** A number as short as it can be read: 1.5K, 20M. */
export const amount = (value: number): string => COMPACT.format(value);
