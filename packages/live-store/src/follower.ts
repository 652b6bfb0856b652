/**
 * Following many cells on one connection: what is new in their logs and channels, proven to follow
 * what the reader has, and proven by a barrier to survive a failover.
 *
 * XREAD reports neither a trimmed log nor one that went back in time (F18, F1): each entry is
 * checked against the one before, and heads are compared after each new connection and about once a
 * second.
 */
import type { ChannelEntry, FollowCursor, FollowNews, LogEntry } from '@leasehold/protocol';
import { extending, type RawEntry, readChannelEntry } from './chain.ts';
import type { ColdCells } from './cold.ts';
import { readMark } from './cold-mark.ts';
import type { CellKeys, Keys } from './keys.ts';
import type { Link, Outcome, Request } from './link.ts';

/** Entries of one stream in one read. 64 ticks are more than three seconds at 20 Hz. */
export const ENTRIES_PER_READ_MAX = 64;
/** Longer waits would keep a barrier waiting behind them on the same connection. */
const BLOCK_MS_MAX = 1_000;
/** How long a barrier waits for the replicas. */
export const BARRIER_MS_MAX = 1_000;
const HEAD_CHECK_MS = 1_000;
/** Entries of a channel in one further read, and further reads in one poll: 32,768 in all. */
const CHANNEL_PER_READ_MAX = 512;
const CHANNEL_READS_MAX = 64;

/** Where a reader was last seen, and when its position was last compared with the cell's head. */
type Checked = {
  readonly connection: number;
  readonly atMs: number;
  readonly seq: number;
  readonly hash: string;
};
type Streams = ReadonlyMap<string, readonly RawEntry[]>;

export type FollowerParts = {
  readonly localMs: () => number;
  readonly cold: Pick<ColdCells, 'read'>;
};

export class Follower {
  readonly #link: Link;
  readonly #keys: Keys;
  readonly #localMs: () => number;
  readonly #cold: FollowerParts['cold'];
  readonly #checked = new Map<number, Checked>();

  constructor(link: Link, keys: Keys, { localMs, cold }: FollowerParts) {
    this.#link = link;
    this.#keys = keys;
    this.#localMs = localMs;
    this.#cold = cold;
  }

  /** See `Store.poll`. Only cells with news are in the answer. */
  async poll(cursors: readonly FollowCursor[], blockMs: number): Promise<FollowNews[]> {
    if (cursors.length === 0) return [];
    const news = await this.#read(cursors);
    if (news.length > 0 || blockMs <= 0) return news;
    await this.#wake(cursors, blockMs);
    return this.#read(cursors);
  }

  /**
   * Waits until a log has something new. What woke it is not used: a blocked XREAD is served the
   * one stream that became ready first, so it could tell of a tick without what the tick has sent
   * (T1).
   */
  async #wake(cursors: readonly FollowCursor[], blockMs: number): Promise<void> {
    const names = cursors.map(({ cell }) => this.#keys.cell(cell).log);
    const after = cursors.map(({ seq }) => `${seq}-0`);
    const ms = Math.ceil(Math.min(blockMs, BLOCK_MS_MAX));
    const wait: Request = ['XREAD', 'COUNT', 1, 'BLOCK', ms, 'STREAMS', ...names, ...after];
    const [outcome] = await this.#link.exec([wait], 'bytes');
    valueIn(outcome);
  }

  async #read(cursors: readonly FollowCursor[]): Promise<FollowNews[]> {
    const { connection } = this.#link;
    const due = cursors.filter((cursor) => this.#isDue(cursor, connection));
    const requests: Request[] = [
      readRequest(this.#keys, cursors),
      ...due.map(({ cell }): Request => headRequest(this.#keys.cell(cell))),
    ];
    const outcomes = await this.#execProven(requests);
    const streams = readStreams(outcomes[0]);
    const found = new Map(due.map(({ cell }, i) => [cell, outcomes[i + 1]]));
    const asleep = await this.#asleep(due, found);
    const news = cursors.map((cursor) => {
      const read = this.#newsOf(cursor, streams);
      const head = found.get(cursor.cell);
      const isElsewhere = asleep.get(cursor.cell);
      const isBack = head !== undefined && (isElsewhere ?? isBehind(head, cursor, read));
      this.#remember(
        cursor,
        isBack ? undefined : read,
        head === undefined ? undefined : connection,
      );
      return isBack ? resync(cursor.cell) : read;
    });
    const complete = await this.#readOn(news);
    return complete.filter(({ entries, out, resync }) => resync || entries.length + out.length > 0);
  }

  /**
   * Those that are not here because they sleep: whether in another state than the one that the reader
   * has. Of such a cell there is no log that could tell.
   */
  async #asleep(
    due: readonly FollowCursor[],
    heads: ReadonlyMap<number, Outcome | undefined>,
  ): Promise<ReadonlyMap<number, boolean>> {
    const absent = due.filter(({ cell }) => {
      const fields = valueIn(heads.get(cell)) as readonly (Buffer | null)[];
      return fields.every((field) => field === null);
    });
    const found = new Map<number, boolean>();
    if (absent.length === 0) return found;
    const outcomes = await this.#execProven(
      absent.map(({ cell }) => ['HGET', this.#keys.cell(cell).block, this.#keys.cell(cell).cold]),
    );
    const wishes = absent.flatMap(({ cell }, i) => {
      const marks = valueIn(outcomes[i]) as Buffer | null;
      const mark = marks === null ? 0 : readMark(marks, this.#keys.cell(cell).place);
      return mark > 0 ? [{ cell, mark }] : [];
    });
    // Where that cannot be known now it is looked at again with the next check.
    const asleep = await this.#cold.read(wishes);
    for (const { cell } of wishes) found.set(cell, false);
    for (const { cell, hash } of absent) {
      const cold = asleep.cells.get(cell);
      if (cold !== undefined) found.set(cell, cold.hash !== hash);
    }
    return found;
  }

  /** See `Store.barrier`. */
  async barrier(): Promise<void> {
    await this.#execProven([]);
  }

  /**
   * A channel that filled a read may hold more of the ticks that the log has told, now or before:
   * whoever acts on a tick must have all that it sent, so the channel is read up to that tick.
   */
  async #readOn(news: readonly FollowNews[]): Promise<readonly FollowNews[]> {
    const all = new Map(news.map((each) => [each.cell, each]));
    let short = news.filter((each) => isShort(each, each.out.length >= ENTRIES_PER_READ_MAX));
    for (let reads = 0; short.length > 0; reads++) {
      if (reads === CHANNEL_READS_MAX) {
        throw new Error(`cell ${short[0]?.cell}: a channel holds too much that was never read`);
      }
      const outcomes = await this.#execProven(
        short.map(({ cell, out }) => channelRequest(this.#keys.cell(cell), lastSeq(out))),
      );
      short = short.filter((each, i) => {
        const raw = valueIn(outcomes[i]) as readonly RawEntry[];
        const more = raw.map((entry) => readChannelEntry(each.cell, entry));
        const grown = { ...each, out: [...each.out, ...more] };
        all.set(each.cell, grown);
        return isShort(grown, raw.length >= CHANNEL_PER_READ_MAX);
      });
      short = short.map(({ cell }) => all.get(cell) as FollowNews);
    }
    return [...all.values()];
  }

  /**
   * Runs reads, and the barrier behind them, in one round trip. Rejects when any of them failed:
   * a WAIT without a write before it would prove nothing, so there is always one.
   */
  async #execProven(requests: readonly Request[]): Promise<Outcome[]> {
    const { replicas, isConnected } = this.#link;
    if (!isConnected) throw new Error('not connected to the store');
    const proof: Request[] =
      replicas === 0
        ? []
        : [
            ['SET', this.#keys.barrier, '1'],
            ['WAIT', replicas, BARRIER_MS_MAX],
          ];
    const outcomes = await this.#link.exec([...requests, ...proof], 'bytes');
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed?.error !== undefined) throw failed.error;
    const reached = replicas === 0 ? 0 : Number(outcomes.at(-1)?.value);
    if (reached < replicas) {
      throw new Error(`the barrier reached ${reached} of ${replicas} replicas: nothing is certain`);
    }
    return outcomes;
  }

  #newsOf(cursor: FollowCursor, streams: Streams): FollowNews {
    const keys = this.#keys.cell(cursor.cell);
    const { entries, isBroken } = extending(cursor.seq, cursor.hash, streams.get(keys.log) ?? []);
    if (isBroken) return resync(cursor.cell);
    const raw = cursor.outSeq === undefined ? [] : (streams.get(keys.out) ?? []);
    const out = raw.map((each) => readChannelEntry(cursor.cell, each));
    return { cell: cursor.cell, entries, out, resync: false };
  }

  /**
   * After a new connection, about once a second, and when the reader is not where the last poll
   * left it: then its position is one that was never compared.
   */
  #isDue({ cell, seq, hash }: FollowCursor, connection: number): boolean {
    const last = this.#checked.get(cell);
    if (last === undefined || last.connection !== connection) return true;
    if (last.seq !== seq || last.hash !== hash) return true;
    return this.#localMs() - last.atMs >= HEAD_CHECK_MS;
  }

  #remember(cursor: FollowCursor, news: FollowNews | undefined, connection?: number): void {
    const last = this.#checked.get(cursor.cell);
    const { seq, hash } = news?.entries.at(-1) ?? cursor;
    if (news === undefined || news.resync) this.#checked.delete(cursor.cell);
    else if (connection !== undefined) {
      this.#checked.set(cursor.cell, { connection, atMs: this.#localMs(), seq, hash });
    } else if (last !== undefined) {
      this.#checked.set(cursor.cell, { ...last, seq, hash });
    }
  }
}

const resync = (cell: number): FollowNews => ({ cell, entries: [], out: [], resync: true });
const lastSeq = (out: readonly ChannelEntry[]): number => out.at(-1)?.seq ?? 0;

/** The last read was full, and did not reach beyond the ticks that the log has told. */
function isShort({ entries, out }: FollowNews, isFull: boolean): boolean {
  const told = entries.at(-1)?.tick;
  return isFull && (told === undefined || (out.at(-1) as ChannelEntry).tick <= told);
}

/** One XREAD: atomic, so a log's entry and what it sent are told together. */
function readRequest(keys: Keys, cursors: readonly FollowCursor[]): Request {
  const names: string[] = [];
  const after: string[] = [];
  for (const { cell, seq, outSeq } of cursors) {
    const of = keys.cell(cell);
    names.push(of.log);
    after.push(`${seq}-0`);
    if (outSeq === undefined) continue;
    names.push(of.out);
    after.push(`${outSeq}-0`);
  }
  return ['XREAD', 'COUNT', ENTRIES_PER_READ_MAX, 'STREAMS', ...names, ...after];
}

function headRequest({ meta }: CellKeys): Request {
  return ['HMGET', meta, 'seq', 'hash', 'out'];
}

/** A read of a channel behind a position. */
export function channelRequest({ out }: CellKeys, afterSeq: number): Request {
  return ['XRANGE', out, `${afterSeq + 1}-0`, '+', 'COUNT', CHANNEL_PER_READ_MAX];
}

/** RESP3 answers a map, which arrives as keys and values in turn; RESP2 answers pairs. */
export function readStreams(outcome: Outcome | undefined): Streams {
  const flat = ((valueIn(outcome) ?? []) as readonly unknown[]).flatMap((each) =>
    each instanceof Buffer ? [each] : isPair(each) ? each : [each],
  );
  const found = new Map<string, readonly RawEntry[]>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    found.set((flat[i] as Buffer).toString('latin1'), flat[i + 1] as readonly RawEntry[]);
  }
  return found;
}

/** A stream's key and its entries; what stands alone is a list of entries. */
function isPair(value: unknown): value is readonly [Buffer, RawEntry[]] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return (value as readonly unknown[])[0] instanceof Buffer;
}

/**
 * L3: the store is not where the reader is, although nothing in between was missing: it went back
 * in time, or somebody else wrote the same positions since.
 */
function isBehind(
  head: Outcome | undefined,
  cursor: FollowCursor,
  { entries }: FollowNews,
): boolean {
  const [seq, hash, out] = valueIn(head) as readonly (Buffer | null)[];
  const mine: Pick<LogEntry, 'seq' | 'hash'> = entries.at(-1) ?? cursor;
  const headSeq = Number(seq?.toString() ?? 0);
  if (headSeq < mine.seq) return true;
  if (headSeq === mine.seq && (hash?.toString() ?? '') !== mine.hash) return true;
  return Number(out?.toString() ?? 0) < (cursor.outSeq ?? 0);
}

function valueIn(outcome: Outcome | undefined): unknown {
  if (outcome?.error !== undefined) throw outcome.error;
  return outcome?.value;
}
