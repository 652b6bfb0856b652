/** The kinds of parts that a frame is made of, and how those that are about no rows are read. */
import type { ByteReader } from '../bytes.ts';
import type {
  Answer,
  FeedItem,
  Holders,
  JournalItem,
  Status,
  Welcome,
  WorldTime,
} from './messages.ts';

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
  more: 13,
  plan: 14,
  journal: 15,
} as const;
export type PartKind = (typeof PART)[keyof typeof PART];

/** What a JSON part carries. */
export type JsonParts = {
  readonly welcome: Welcome;
  readonly answer: Answer;
  readonly status: Status;
  readonly feed: FeedItem;
  readonly journal: JournalItem;
};

/** The flags of a time. */
export const PAUSED = 1;
export const LOCKSTEP = 2;
/** As many as a cell's holder can tell apart. */
export const PODS_MAX = 65_535;

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
