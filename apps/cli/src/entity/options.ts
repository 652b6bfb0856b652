/** Flags of `leasehold entity` and `leasehold event`: which API, which world, which part of it. */
import { NAME_PATTERN } from '@leasehold/kernel';
import { invalid, numberOf } from '../options.ts';
import type { ApiAddress, Asked } from './api.ts';
import { termOf } from './values.ts';

const API_DEFAULT = 'http://127.0.0.1:7320';
/** What a person reads, and then some; programs ask the API itself for pages. */
export const ENTITIES_MAX = 10_000;
const ENTITIES_DEFAULT = 100;
const AREAS = ['box', 'circle', 'polygon', 'around', 'near'] as const;

/** What commander hands over: every value as it was typed. */
export type ApiFlags = { readonly api?: string; readonly world?: string };

export type QueryFlags = ApiFlags & {
  readonly box?: string;
  readonly circle?: string;
  readonly polygon?: string;
  readonly around?: string;
  readonly near?: string;
  readonly radius?: string;
  readonly components?: string;
  readonly with?: string;
  readonly where?: readonly string[];
  readonly limit?: string;
};

export type QueryOptions = {
  readonly query: NonNullable<Asked['query']>;
  readonly limit: number;
  /** The nearest to a point: one answer has them all. */
  readonly isNearest: boolean;
};

/** Errors: `SETTING_INVALID`. */
export function apiAddress({ api, world }: ApiFlags, env: NodeJS.ProcessEnv): ApiAddress {
  const fromEnv = env['LEASEHOLD_API'] || API_DEFAULT;
  const url = urlOf(api ?? fromEnv);
  if (world !== undefined && !NAME_PATTERN.test(world)) {
    throw invalid('--world', world, 'Give the name of a world, as leasehold world list has it.');
  }
  return { url, token: env['LEASEHOLD_API_TOKEN'] ?? '', world };
}

function urlOf(text: string): string {
  const address = /^\w+:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isRight = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '';
  if (isRight) return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  throw invalid('--api', text, `Give an address such as ${API_DEFAULT}.`);
}

/** Names with commas between them. Errors: `SETTING_INVALID`. */
export function namesOf(flag: string, text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => NAME_PATTERN.test(name))) return names;
  throw invalid(flag, text, 'Give names of components with commas between them.');
}

/** Errors: `SETTING_INVALID`; whether an area is possible says the API. */
export function queryOptions(flags: QueryFlags): QueryOptions {
  const [area, ...others] = AREAS.filter((name) => flags[name] !== undefined);
  if (others.length > 0) {
    const value = [area, ...others].map((name) => `--${name}`).join(' ');
    throw invalid(`--${others[0]}`, value, 'Give one area.');
  }
  const isNearest = area === 'near';
  if (flags.radius !== undefined && !isNearest) {
    throw invalid('--radius', flags.radius, 'It needs --near: how far from there is looked.');
  }
  const components = namesOf('--components', flags.components);
  const having = namesOf('--with', flags.with);
  const query: [string, string][] = [[area ?? 'world', area === undefined ? '' : areaText(flags)]];
  if (flags.radius !== undefined) query.push(['radius', flags.radius]);
  if (components.length > 0) query.push(['components', components.join(',')]);
  if (having.length > 0) query.push(['with', having.join(',')]);
  for (const term of flags.where ?? []) query.push(['where', termOf(term)]);
  const limits = { min: 1, max: ENTITIES_MAX, fallback: isNearest ? 10 : ENTITIES_DEFAULT };
  const limit = numberOf('--limit', flags.limit, { ...limits, isWhole: true });
  return { query, limit, isNearest };
}

function areaText(flags: QueryFlags): string {
  const [text = ''] = AREAS.flatMap((name) => flags[name] ?? []);
  return text.replace(/\s+/g, '');
}
