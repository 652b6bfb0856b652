/** Flags of `leasehold watch`: which gateways, which part of the world, and how often. */

import type { Area } from '@leasehold/client';
import { LeaseholdError } from '@leasehold/kernel';
import { numberOf } from './options.ts';

const GATEWAY_DEFAULT = 'ws://127.0.0.1:7300/view';
const SECONDS_MAX = 30 * 86_400;
const RATE_HZ_MAX = 60;
const AREA_FORMS =
  'Give world, box:minX,minY,maxX,maxY, circle:x,y,radius, around:ID,radius or ' +
  'polygon:x,y;x,y;x,y.';

/** What commander hands over: every value as it was typed. */
export type WatchFlags = {
  readonly area?: string;
  readonly components?: string;
  readonly with?: string;
  readonly rate?: string;
  readonly gateway?: readonly string[];
  readonly seconds?: string;
  readonly json?: boolean;
};

export type WatchOptions = {
  /** A name, or the path of a world folder. */
  readonly world: string;
  readonly isFolder: boolean;
  readonly area: Area;
  /** The area as it was typed. */
  readonly areaText: string;
  readonly components: readonly string[] | undefined;
  readonly with: readonly string[] | undefined;
  /** Undefined: one frame for each tick. */
  readonly rateHz: number | undefined;
  readonly gateways: readonly string[];
  /** 0 = until told to stop. */
  readonly seconds: number;
};

/** Throws `SETTING_INVALID` or `AREA_INVALID` for the first flag that is wrong. */
export function watchOptions(
  world: string,
  flags: WatchFlags,
  env: NodeJS.ProcessEnv,
): WatchOptions {
  const rate = { min: 0.1, max: RATE_HZ_MAX, fallback: 0 };
  const rateHz = numberOf('--rate', flags.rate, rate);
  const fromEnv = env['LEASEHOLD_GATEWAY'] ?? '';
  const fallback = fromEnv === '' ? [GATEWAY_DEFAULT] : [fromEnv];
  return {
    world,
    isFolder: world.startsWith('.') || world.includes('/'),
    area: areaOf(flags.area ?? 'world'),
    areaText: flags.area ?? 'world',
    components: namesOf('--components', flags.components),
    with: namesOf('--with', flags.with),
    rateHz: rateHz === 0 ? undefined : rateHz,
    gateways: (flags.gateway ?? fallback).map(gatewayOf),
    seconds: numberOf('--seconds', flags.seconds, { min: 0.1, max: SECONDS_MAX, fallback: 0 }),
  };
}

/** Collects a flag that may be given several times. */
export const repeated = (value: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  value,
];

function namesOf(flag: string, text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return names;
  throw invalid(flag, text, 'Give names of components with commas between them.');
}

/** Addresses as people have them: of the gateway, or of its page. */
function gatewayOf(text: string): string {
  const address = /^\w+:\/\//.test(text) ? text : `ws://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const protocol = url?.protocol.replace(/^http/, 'ws');
  if (url === undefined || url.host === '' || !/^wss?:$/.test(String(protocol))) {
    throw invalid('--gateway', text, `Give an address such as ${GATEWAY_DEFAULT}.`);
  }
  return `${protocol}//${url.host}${url.pathname === '/' ? '/view' : url.pathname}`;
}

/** An area as it is typed. Throws `AREA_INVALID`, naming the flag and the forms there are. */
export function areaOf(text: string): Area {
  const [kind, rest = ''] = text.split(/:(.*)/s);
  if (text === 'world') return { kind: 'world' };
  if (kind === 'polygon') return polygonOf(text, rest);
  const numbers = numbersOf(rest);
  if (kind === 'box' && numbers.length === 4) {
    const [minX, minY, maxX, maxY] = numbers as [number, number, number, number];
    if (maxY > minY && maxX !== minX) return { kind, minX, minY, maxX, maxY };
    throw invalidArea(text, 'A box is minX,minY,maxX,maxY, and larger than nothing.');
  }
  if (kind === 'circle' && numbers.length === 3) {
    const [x, y, radius] = numbers as [number, number, number];
    if (radius > 0) return { kind, x, y, radius };
    throw invalidArea(text, 'The radius of a circle is above 0.');
  }
  if (kind === 'around' && numbers.length === 2) {
    const [entity, radius] = numbers as [number, number];
    if (Number.isSafeInteger(entity) && entity > 0 && radius > 0) return { kind, entity, radius };
    throw invalidArea(text, 'Give the id of an entity, then a radius above 0.');
  }
  throw invalidArea(text, AREA_FORMS);
}

function polygonOf(text: string, rest: string): Area {
  const points = rest.split(';').map((point) => numbersOf(point));
  if (points.length < 3 || !points.every(({ length }) => length === 2)) {
    throw invalidArea(text, 'A polygon is at least three points: polygon:x,y;x,y;x,y.');
  }
  return { kind: 'polygon', points: points.map(([x = 0, y = 0]) => [x, y] as const) };
}

/** Empty if one of them is no number. */
function numbersOf(text: string): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return numbers.every(Number.isFinite) ? numbers : [];
}

function invalid(flag: string, value: string, remedy: string): LeaseholdError {
  const message = `${flag} cannot be ${JSON.stringify(value)}`;
  return new LeaseholdError('SETTING_INVALID', message, { field: flag, value, remedy });
}

function invalidArea(value: string, remedy: string): LeaseholdError {
  const message = `--area cannot be ${JSON.stringify(value)}`;
  return new LeaseholdError('AREA_INVALID', message, { field: '--area', value, remedy });
}
