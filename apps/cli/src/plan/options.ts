/** Values of the flags of `leasehold plan`. */
import { checkName } from '@leasehold/kernel';
import { POLICIES, type Policy } from '@leasehold/plan';
import { INTEREST_MS_MAX } from '@leasehold/protocol';
import { invalid } from '../options.ts';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };
/** Of the journal: more than are ever kept. */
export const ENTRIES_MAX = 20_000;
const SINCE_MS_MAX = 30 * 86_400e3;

/** How far back, in milliseconds: `90s`, `30m`, `1h`, `2d`. */
export function sinceMsOf(text: string): number {
  const ms = msOf(text);
  if (ms > 0 && ms <= SINCE_MS_MAX) return ms;
  throw invalid('--since', text, 'Give a time such as 90s, 30m, 1h or 2d, at most 30d.');
}

/** How long something is to stay awake; 0 = no longer. */
export function wakeMsOf(text: string): number {
  const ms = msOf(text);
  if (ms >= 0 && ms <= INTEREST_MS_MAX) return ms;
  throw invalid('--for', text, 'Give a time such as 90s, 10m, 2h or 1d, at most 7d.');
}

/** NaN: it is no time. */
function msOf(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim()) ?? [];
  return number === '' ? Number.NaN : Number(number) * (UNITS_MS[unit] ?? 0);
}

/** Of an order: it is told apart from gateways, which speak under their own names. */
export function nameOf(text: string): string {
  return checkName('--name', `order-${text}`);
}

/** All that there are if none is named. */
export function policiesOf(names: readonly string[] | undefined): Policy[] {
  if (names === undefined) return [...POLICIES.values()];
  return [...new Set(names)].map((name) => {
    const found = POLICIES.get(name);
    if (found !== undefined) return found;
    throw invalid('--policy', name, `Give one of ${[...POLICIES.keys()].join(', ')}.`);
  });
}

export function regionOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid('region', text, 'Give the number of a region, as leasehold plan show lists them.');
}
