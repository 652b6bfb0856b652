/** JSON parts of a frame, believed only after a look: a gateway may be broken, or none at all. */
import {
  type Answer,
  type ByteReader,
  type FeedItem,
  type JournalItem,
  readJsonPart,
  type Status,
  type Welcome,
} from '@leasehold/protocol/view';

import type { Fault, Snapshot } from './types.ts';

type Bag = Readonly<Record<string, unknown>>;

/** More cells than a world may have. */
const CELLS_MAX = 2 ** 20;
const COMPONENTS_MAX = 32;

const isBag = (value: unknown): value is Bag => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0;

const GRID_NUMBERS = ['cellSize', 'originX', 'originY', 'width', 'height'];
const KINDS = 'f32 f64 u8 u16 u32 i8 i16 i32 bool entity string json'.split(' ');

function isGrid(value: unknown): boolean {
  if (!isBag(value)) return false;
  const { columns, rows, cellSize } = value;
  return (
    isCount(columns) &&
    isCount(rows) &&
    columns * rows <= CELLS_MAX &&
    GRID_NUMBERS.every((name) => isNumber(value[name])) &&
    Number(cellSize) > 0
  );
}

const isField = (value: unknown): boolean =>
  isBag(value) &&
  isText(value['name']) &&
  KINDS.includes(String(value['kind'])) &&
  (value['step'] === undefined || isNumber(value['step']));

const isComponent = (value: unknown): boolean =>
  isBag(value) &&
  isText(value['name']) &&
  Array.isArray(value['fields']) &&
  value['fields'].length <= COMPONENTS_MAX &&
  value['fields'].every(isField) &&
  (value['spatial'] === undefined || Array.isArray(value['spatial']));

const isSpatial = (value: unknown): boolean =>
  value === null || (isBag(value) && ['component', 'x', 'y'].every((name) => isText(value[name])));

export function readWelcome(body: ByteReader): Welcome {
  const value = readJsonPart(body);
  const { components, tickHz } = value;
  const isWhole =
    ['gateway', 'world', 'layer', 'mode'].every((name) => isText(value[name])) &&
    isNumber(value['protocol']) &&
    isNumber(value['incarnation']) &&
    isNumber(tickHz) &&
    tickHz > 0 &&
    isGrid(value['grid']) &&
    Array.isArray(components) &&
    components.length <= COMPONENTS_MAX &&
    components.every(isComponent) &&
    isSpatial(value['spatial']) &&
    isBag(value['space']) &&
    isBag(value['limits']);
  if (!isWhole) throw body.fault('it is no welcome');
  return value as unknown as Welcome;
}

const FAULT = ['code', 'message', 'field', 'value', 'remedy'];

export const isFault = (value: unknown): value is Fault =>
  isBag(value) && FAULT.every((name) => isText(value[name]));

export const isSnapshot = (value: unknown): value is Snapshot =>
  isBag(value) &&
  isText(value['id']) &&
  ['tick', 'takenAtMs', 'entities'].every((name) => isNumber(value[name]));

export function readAnswer(body: ByteReader): Answer {
  const value = readJsonPart(body);
  const { to, id, ok } = value;
  const isWhole =
    isText(to) &&
    (id === undefined || isNumber(id)) &&
    (ok === true || (ok === false && isFault(value)));
  if (!isWhole) throw body.fault('it is no answer');
  return value as unknown as Answer;
}

export function readStatus(body: ByteReader): Status {
  const value = readJsonPart(body);
  const { tick, entities, pods, kinds } = value;
  const isPod = (pod: unknown): boolean =>
    isBag(pod) && isText(pod['pod']) && isBag(pod['report']) && isNumber(pod['pid']);
  const areKinds = kinds === undefined || isLoads(kinds);
  const isCounted = isNumber(tick) && isNumber(entities) && areKinds;
  if (!isCounted || !Array.isArray(pods) || !pods.every(isPod)) {
    throw body.fault('it is no status');
  }
  return value as unknown as Status;
}

export function readFeedItem(body: ByteReader): FeedItem {
  const value = readJsonPart(body);
  const { atMs, kind, pod, facts } = value;
  if (!isNumber(atMs) || !isText(kind) || !isText(pod) || !isBag(facts)) {
    throw body.fault('it is no event of a feed');
  }
  return value as unknown as FeedItem;
}

const isLoads = (value: unknown): boolean => isBag(value) && Object.values(value).every(isNumber);

export function readJournalItem(body: ByteReader): JournalItem {
  const value = readJsonPart(body);
  const { regions, before, expected } = value;
  const isWhole =
    ['id', 'kind', 'cause'].every((name) => isText(value[name])) &&
    ['atMs', 'version', 'cells'].every((name) => isNumber(value[name])) &&
    Array.isArray(regions) &&
    regions.every(isNumber) &&
    isLoads(before) &&
    isLoads(expected);
  if (!isWhole) throw body.fault('it is no entry of a journal');
  return value as unknown as JournalItem;
}
