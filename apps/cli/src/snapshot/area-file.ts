/**
 * What `--area` of a restore may be: a GeoJSON file with one polygon and its holes, or an area as it is
 * typed. Whatever is put back for good is drawn without doubt: nothing is closed, left out or rounded for
 * its author.
 */
import { readFileSync } from 'node:fs';
import { LeaseholdError } from '@leasehold/kernel';
import { AreaShape, type AreaSpec, type Grid } from '@leasehold/spatial';
import { areaOf } from '../watch-options.ts';

const REMEDY =
  'Give a GeoJSON file with one polygon, or box:minX,minY,maxX,maxY, circle:x,y,radius or ' +
  'polygon:x,y;x,y;x,y.';
/** Corners of a triangle, and the first one again. */
const POSITIONS_MIN = 4;
const SHOWN_MAX = 80;

export type DrawnArea = {
  /** As it was typed. */
  readonly text: string;
  readonly area: AreaSpec;
  /** Of a file: where its rings are. */
  readonly path?: string;
};

/** Throws `AREA_INVALID`, naming the flag, or what is wrong in the file as a path into it. */
export function readArea(text: string): DrawnArea {
  if (/^(world$|(box|circle|polygon|around):)/.test(text)) {
    const area = areaOf(text);
    if (area.kind === 'around') throw invalid(text, 'whoever it is around may have moved since');
    return { text, area };
  }
  const { rings, path } = polygonIn(text, parsed(text));
  const [points = [], ...holes] = rings.map((ring, i) => pointsOf(text, ring, `${path}[${i}]`));
  return { text, path, area: { kind: 'polygon', points, ...(holes.length > 0 && { holes }) } };
}

/** Throws `AREA_INVALID` for an area that the world has nothing of, or that is none. */
export function expectInside(grid: Grid, drawn: DrawnArea): void {
  const { text, area } = drawn;
  const { originX, originY, width, height, wrapsX, wrapsY } = grid;
  const isOff = (at: number, origin: number, extent: number, wraps: boolean): boolean =>
    !wraps && (at < origin || at > origin + extent);
  // Off a side that does not wrap a centre would be moved to it, and another area be meant.
  const isCentreOff =
    area.kind === 'circle' &&
    (isOff(area.x, originX, width, wrapsX) || isOff(area.y, originY, height, wrapsY));
  if (!isCentreOff && cellsOf(grid, drawn) > 0) return;
  const what = isCentreOff ? 'its centre' : 'all of it';
  const world = `${originX} … ${originX + width} by ${originY} … ${originY + height}`;
  throw invalid(text, `${what} lies outside of the world, which is ${world}`);
}

function cellsOf(grid: Grid, { text, area, path }: DrawnArea): number {
  try {
    return new AreaShape(grid, area).cells.length;
  } catch (error) {
    if (!(error instanceof LeaseholdError)) throw error;
    const { field = '', value = text, remedy = REMEDY } = error.detail;
    const why =
      path === undefined
        ? error.message.replace(/\barea\.(points)?:? ?/, '')
        : inFile(path, error.message);
    throw new LeaseholdError('AREA_INVALID', `--area cannot be ${text}: ${why}`, {
      ...{ field: path === undefined ? '--area' : inFile(path, field), value, remedy },
    });
  }
}

/** Fields of an area as paths into the file: the first ring is the outer one. */
function inFile(path: string, text: string): string {
  return text
    .replace(/\barea\.points\b/g, `${path}[0]`)
    .replace(/\barea\.holes\[(\d+)\]/g, (_, hole) => `${path}[${Number(hole) + 1}]`)
    .replace(/\barea\.holes\b/g, path);
}

function parsed(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(file, whyUnread(error));
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(file, `it is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function whyUnread(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  return code === 'EISDIR' ? 'it is a folder' : message;
}

/** The outer ring and the holes, and where they are. */
type Rings = { readonly rings: readonly unknown[]; readonly path: string };

function polygonIn(file: string, value: unknown, path = ''): Rings {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const { type, geometry, features, coordinates } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>;
  if (type === 'Feature') return polygonIn(file, geometry, at('geometry'));
  if (type === 'FeatureCollection' && Array.isArray(features)) {
    if (features.length === 1) return polygonIn(file, features[0], at('features[0]'));
    throw misdrawn(file, at('features'), { value: features.length, why: 'features are not one' });
  }
  if (type !== 'Polygon') {
    throw misdrawn(file, at('type'), { value: type, why: 'is no polygon of GeoJSON' });
  }
  if (Array.isArray(coordinates) && coordinates.length > 0) {
    return { rings: coordinates, path: at('coordinates') };
  }
  throw misdrawn(file, at('coordinates'), { value: coordinates, why: 'has no ring of positions' });
}

/** The corners. GeoJSON says the first position again at the end. */
function pointsOf(file: string, positions: unknown, path: string): (readonly [number, number])[] {
  if (!Array.isArray(positions)) {
    const remedy =
      'Write each ring as a list of positions, the outer one first and then the holes.';
    throw misdrawn(file, path, { value: positions, why: 'is no ring of positions', remedy });
  }
  const points = positions.map((position, i) => {
    const [x, y] = Array.isArray(position) ? (position as unknown[]) : [];
    if (isCoordinate(x) && isCoordinate(y)) return [x, y] as const;
    const remedy = 'Write each position as [x, y], two finite numbers.';
    throw misdrawn(file, `${path}[${i}]`, { value: position, why: 'is no position', remedy });
  });
  if (points.length < POSITIONS_MIN) {
    const why = 'positions make no ring';
    const remedy = 'Give at least three corners, and the first one again at the end.';
    throw misdrawn(file, path, { value: points.length, why, remedy });
  }
  const [first, last] = [points[0], points.at(-1)];
  if (first?.[0] === last?.[0] && first?.[1] === last?.[1]) return points.slice(0, -1);
  const why = `is its last position, and not its first, ${shown(first)}: the ring is open`;
  const remedy = 'Write the first position again at the end, and look whether one is missing.';
  throw misdrawn(file, `${path}[${points.length - 1}]`, { value: last, why, remedy });
}

const isCoordinate = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function invalid(value: string, why: string): LeaseholdError {
  const message = `--area cannot be ${value}: ${why}`;
  return new LeaseholdError('AREA_INVALID', message, { field: '--area', value, remedy: REMEDY });
}

/** `field`: a path into the file. */
function misdrawn(
  file: string,
  field: string,
  {
    value,
    why,
    remedy = REMEDY,
  }: { readonly value: unknown; readonly why: string; readonly remedy?: string },
): LeaseholdError {
  const message = `--area cannot be ${file}: ${field}: ${shown(value)} ${why}`;
  return new LeaseholdError('AREA_INVALID', message, { field, value: shown(value), remedy });
}
