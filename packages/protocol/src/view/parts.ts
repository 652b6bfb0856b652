/**
 * The parts of a frame that are about a connection or a list of cells. A part is encoded whole,
 * kind and length included, so that every client can be handed the same bytes.
 */
import { assert } from '@leasehold/kernel';
import { type ByteReader, ByteWriter, varintLength } from '../bytes.ts';
import type { Answer, FeedItem, Holders, Status, Welcome, WorldTime } from './messages.ts';

export const PART = {
  welcome: 1,
  answer: 2,
  time: 3,
  holders: 4,
  status: 5,
  feed: 6,
  scope: 7,
  state: 8,
  delta: 9,
  gone: 10,
  resync: 11,
  live: 12,
} as const;
export type PartKind = (typeof PART)[keyof typeof PART];

/** What a JSON part carries. */
export type JsonParts = {
  readonly welcome: Welcome;
  readonly answer: Answer;
  readonly status: Status;
  readonly feed: FeedItem;
};

const PAUSED = 1;
const LOCKSTEP = 2;
const PODS_MAX = 65_535;

const writer = new ByteWriter();
const encoder = new TextEncoder();

/** The part with this body, in bytes of its own. */
export function wholePart(kind: PartKind, body: ByteWriter): Uint8Array {
  const header = 1 + varintLength(body.length);
  const bytes = new Uint8Array(header + body.length);
  bytes[0] = kind;
  let rest = body.length;
  for (let at = 1; at < header; at++) {
    bytes[at] = at === header - 1 ? rest : (rest & 127) | 128;
    rest >>>= 7;
  }
  body.copyTo(bytes, header);
  return bytes;
}

export function encodeJsonPart<K extends keyof JsonParts>(
  kind: K,
  value: JsonParts[K],
): Uint8Array {
  return wholePart(PART[kind], writer.reset().raw(encoder.encode(JSON.stringify(value))));
}

export function encodeTimePart(time: WorldTime): Uint8Array {
  writer.reset().f64(time.nowMs).f64(time.baseMs).f64(time.baseTick).f64(time.rateHz);
  writer.u8((time.isPaused ? PAUSED : 0) | (time.isLockstep ? LOCKSTEP : 0));
  return wholePart(PART.time, writer);
}

/** Throws (a defect) when there are more pods than `cells` can name. */
export function encodeHoldersPart({ pods, gone, cells }: Holders): Uint8Array {
  assert(pods.length <= PODS_MAX, `${pods.length} pods are more than ${PODS_MAX}`);
  writer.reset().varint(pods.length);
  pods.forEach((pod, i) => {
    writer.text(pod).u8(gone[i] === true ? 1 : 0);
  });
  for (let start = 0; start < cells.length; ) {
    const holder = cells[start] as number;
    let end = start + 1;
    while (cells[end] === holder) end++;
    writer.varint(end - start).varint(holder);
    start = end;
  }
  return wholePart(PART.holders, writer);
}

/** `cells` in any order; each is sent once. */
export function encodeCellsPart(kind: 'gone' | 'resync', cells: readonly number[]): Uint8Array {
  const ascending = Float64Array.from(new Set(cells)).sort();
  return wholePart(PART[kind], writer.reset().ids(ascending));
}

export function encodeScopePart(subscription: number): Uint8Array {
  return wholePart(PART.scope, writer.reset().varint(subscription));
}

/** That the subscription in scope has been told of every cell of its area. */
export function encodeLivePart(): Uint8Array {
  return wholePart(PART.live, writer.reset());
}

/**
 * The object that the part is the JSON of. Its members are as the sender wrote them: unchecked.
 */
export function readJsonPart(body: ByteReader): Readonly<Record<string, unknown>> {
  const text = body.plainText(body.remaining);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw body.fault('it is no JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw body.fault('its JSON is no object');
  }
  return value as Readonly<Record<string, unknown>>;
}

export function readTime(body: ByteReader): WorldTime {
  const numbers = [body.f64(), body.f64(), body.f64(), body.f64()] as const;
  const flags = body.u8();
  body.end();
  if (!numbers.every(Number.isFinite) || numbers[3] < 0 || flags > (PAUSED | LOCKSTEP)) {
    throw body.fault('it holds no time');
  }
  const [nowMs, baseMs, baseTick, rateHz] = numbers;
  const isPaused = (flags & PAUSED) !== 0;
  return { nowMs, baseMs, baseTick, rateHz, isPaused, isLockstep: (flags & LOCKSTEP) !== 0 };
}

/** `cells`: how many the grid has. */
export function readHolders(body: ByteReader, cells: number): Holders {
  const count = body.count('pods', 2);
  if (count > PODS_MAX) throw body.fault(`${count} pods are more than ${PODS_MAX}`);
  const pods: string[] = [];
  const gone: boolean[] = [];
  for (let i = 0; i < count; i++) {
    pods.push(body.text());
    const flag = body.u8();
    if (flag > 1) throw body.fault(`${flag} is neither gone nor there`);
    gone.push(flag === 1);
  }
  const holders = new Uint16Array(cells);
  for (let start = 0; start < cells; ) {
    const length = body.varint();
    const holder = body.varint();
    if (length === 0 || length > cells - start || holder > count) {
      throw body.fault('its runs of cells are out of range');
    }
    holders.fill(holder, start, start + length);
    start += length;
  }
  body.end();
  return { pods, gone, cells: holders };
}

/** Ascending. */
export function readCells(body: ByteReader): number[] {
  const cells = body.ids('cells');
  body.end();
  return cells;
}

/** The subscription that the cell parts after it are for. */
export function readScope(body: ByteReader): number {
  const subscription = body.varint();
  body.end();
  return subscription;
}

/** The cell that a state or delta part is about; nothing is consumed. */
export function peekCell(body: ByteReader): number {
  return body.peekVarint();
}
