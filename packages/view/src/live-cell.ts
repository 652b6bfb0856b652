/**
 * One followed cell: its table kept by applying its log, who left it and has not been seen to
 * arrive yet, and what of it views can see.
 */
import { assert } from '@leasehold/kernel';
import {
  applyCommit,
  type CellImage,
  type ChannelEntry,
  decodeCheckpoint,
  decodeCommit,
  decodeRows,
  type LayerSchema,
  type LogEntry,
  type SchemaResolver,
  Table,
} from '@leasehold/protocol';
import { Published } from './published.ts';
import { Versions } from './versions.ts';

/** What all followed cells of a gateway share. */
export type CellKit = {
  readonly schema: LayerSchema;
  readonly older: SchemaResolver | undefined;
  readonly spatial:
    | { readonly component: number; readonly x: number; readonly y: number }
    | undefined;
  centre(cell: number): { readonly x: number; readonly y: number };
};

/** Until the cell that it left has applied this entry of its channel. */
export type Wait = { readonly from: number; readonly seq: number };

/** What a cell must know of others to be published. */
export type Others = {
  /** Whether a departure of it is still to be seen to arrive; unknown where nobody looks. */
  isUnderway(to: number, seq: number): boolean | undefined;
  /** Whether somebody is still shown where it came from, or where it came from before. */
  isWaiting(id: number, wait: Wait): boolean;
};

/** Entities on their way to another cell: whoever looks sees them where they left. */
type Transit = {
  readonly seq: number;
  readonly to: number;
  readonly tick: number;
  readonly rows: Table;
  /** Not while nobody follows where they go. */
  isSeen: boolean;
};

/**
 * Whose destination is not followed is remembered for so long, twenty seconds at 20 Hz: it may be
 * followed in a moment, and nobody takes the entity in before it has a holder again.
 */
const UNFOLLOWED_TICKS_MAX = 400;
/** Departures remembered of one cell; beyond that the oldest that nobody looks for are forgotten. */
const TRANSITS_MAX = 1_024;

/** Positions that a cell remembers: three seconds at 20 Hz. */
const PUBLICATIONS_MAX = 64;

const LOW_32 = 8;
/** Spreads small numbers over 32 bits. */
const GOLDEN = 0x9e3779b1;

export class LiveCell {
  readonly cell: number;
  readonly rows: Published;
  readonly spatial: CellKit['spatial'];
  seq = 0;
  hash = '';
  epoch = '';
  tick = 0;
  /** Last entry of its own channel, as far as its log is applied. */
  outSeq = 0;
  isReady = false;
  retryAtMs = 0;
  /** The position of what `rows` show: entries may have been applied that are not published yet. */
  readonly shown = { cell: 0, tick: 0, seq: 0, hash: 0 };
  /** Where the cell stood in the rounds in which its rows changed or moved. */
  readonly published = new Versions(PUBLICATIONS_MAX);
  /** Rises with each load: what was published before does not lead to what is now. */
  generation = 0;
  readonly #kit: CellKit;
  readonly #touched: Uint32Array;
  readonly #consumed = new Map<number, number>();
  /** Who has come, and is still shown by the cell that it left, as what that is told waits. */
  readonly #waits = new Map<number, Wait>();
  /** How often somebody was left out: what is shown then is at no position of the log. */
  #omissions = 0;
  #transits: Transit[] = [];
  #table: Table;
  #isMoved = false;
  #shownInTransit = 0;

  constructor(kit: CellKit, cell: number) {
    this.cell = cell;
    this.shown.cell = cell;
    this.#kit = kit;
    this.spatial = kit.spatial;
    this.rows = new Published(kit.schema, kit.spatial, kit.centre(cell));
    this.#touched = new Uint32Array(kit.schema.components.length);
    this.#table = new Table(kit.schema);
  }

  /** The low 32 bits of the log's hash, which views carry. */
  get hash32(): number {
    return this.hash === '' ? 0 : Number.parseInt(this.hash.slice(-LOW_32), 16);
  }

  get count(): number {
    return this.#table.count;
  }

  get table(): Table {
    return this.#table;
  }

  /** Somebody who left may have to be shown, or shown no longer, though no commit comes. */
  get hasTransits(): boolean {
    return this.#transits.length > 0;
  }

  /** Last entry of that cell's channel that was merged here. */
  consumedOf(from: number): number {
    return this.#consumed.get(from) ?? 0;
  }

  /**
   * Becomes what an image says. `cursors`: what the cell had consumed, read before the image;
   * `channel`: its own channel, read after, and where that stood. Errors: those of the decoders.
   */
  load(
    image: CellImage,
    cursors: ReadonlyMap<number, number>,
    channel: readonly ChannelEntry[],
    outSeq = 0,
  ): void {
    const { schema, older } = this.#kit;
    this.isReady = false;
    this.#table = new Table(schema);
    this.seq = 0;
    this.hash = '';
    this.tick = 0;
    this.outSeq = outSeq;
    if (image.checkpoint !== undefined) {
      const stored = decodeCheckpoint(image.checkpoint.body, schema, older);
      this.#table = stored.table;
      this.tick = stored.tick;
      this.seq = image.checkpoint.seq;
      this.hash = image.checkpoint.hash;
    }
    this.#consumed.clear();
    this.#waits.clear();
    for (const [from, seq] of cursors) this.#consumed.set(from, seq);
    for (const entry of image.entries) this.apply(entry);
    this.#transits = channel
      .filter(({ tick }) => tick <= this.tick)
      .map(({ seq, to, tick, body }) => {
        return { seq, to, tick, rows: decodeRows(body, schema, older).rows, isSeen: false };
      });
    this.#touched.fill(0xffff_ffff);
    this.#isMoved = true;
    this.generation++;
    this.published.clear();
    this.isReady = true;
  }

  /** What somebody who came waits for, before it is shown here. */
  waitOf(id: number): Wait | undefined {
    return this.#waits.get(id);
  }

  get hasWaits(): boolean {
    return this.#waits.size > 0;
  }

  /** Shows somebody who has come only when the cell that it left has been told of that. */
  wait(id: number, wait: Wait | undefined): void {
    if (wait === undefined) this.#waits.delete(id);
    else this.#waits.set(id, wait);
    this.#omissions++;
    this.#isMoved = true;
  }

  /**
   * Follows the log by one entry. Answers what came with it. Errors: `BODY_MALFORMED`,
   * `SCHEMA_INCOMPATIBLE`.
   */
  apply(entry: LogEntry): readonly ChannelEntry[] {
    assert(entry.seq === this.seq + 1 || this.seq === 0, 'a log is followed without gaps');
    const body = decodeCommit(entry.body, this.#kit.schema, this.#kit.older);
    for (const { from, seq } of body.arrivals) {
      this.#consumed.set(from, Math.max(seq, this.consumedOf(from)));
    }
    applyCommit(this.#table, body, (table) => {
      for (const { to, seq, ids } of body.departures) {
        if (ids.length === 0) continue;
        const rows = table.pick(ids.map((id) => table.find(id)));
        this.#transits.push({ to, seq, tick: body.tick, rows, isSeen: false });
      }
    });
    for (const { seq } of body.departures) this.outSeq = Math.max(this.outSeq, seq);
    for (const { component, field } of body.changes) {
      this.#touched[component] = ((this.#touched[component] as number) | (1 << field)) >>> 0;
    }
    const isJoined = body.arrivalRows.some(({ count }) => count > 0);
    const isLeft = body.departures.some(({ ids }) => ids.length > 0);
    if (
      body.births.count + body.deaths.length > 0 ||
      isJoined ||
      isLeft ||
      body.masks !== undefined
    ) {
      this.#isMoved = true;
      // Who comes back, or gains a component, brings values of its own.
      if (body.masks !== undefined || isJoined) this.#touched.fill(0xffff_ffff);
    }
    this.seq = entry.seq;
    this.hash = entry.hash;
    this.epoch = entry.epoch;
    this.tick = body.tick;
    return body.arrivals;
  }

  /**
   * Publishes what the round brought. Answers whether views can see a difference.
   */
  publish(round: number, others: Others): boolean {
    if (this.#transits.length > 0) this.#lookAfter(others.isUnderway);
    for (const [id, wait] of this.#waits) {
      if (!others.isWaiting(id, wait)) this.wait(id, undefined);
    }
    this.shown.tick = this.tick;
    this.shown.seq = this.seq;
    // Another gateway, which may know of others who left, is not to take it for what it has.
    const isPart = this.#waits.size > 0;
    this.shown.hash = isPart
      ? (this.hash32 ^ Math.imul(this.#omissions, GOLDEN)) >>> 0
      : this.hash32;
    const inTransit = this.#seenInTransit;
    const isMoved = this.#isMoved || inTransit !== this.#shownInTransit;
    this.#isMoved = false;
    this.#shownInTransit = inTransit;
    const isNews = isMoved
      ? this.rows.publishRows(this.#seen(), this.#touched, round)
      : this.#isTouched() && this.#publishFields(round);
    this.#touched.fill(0);
    if (this.rows.latest === round) this.published.push(round, this.shown.seq, this.shown.hash);
    return isNews;
  }

  #lookAfter(isUnderway: Others['isUnderway']): void {
    this.#transits = this.#transits.filter((transit) => {
      const found = isUnderway(transit.to, transit.seq);
      transit.isSeen = found === true;
      return found ?? transit.tick > this.tick - UNFOLLOWED_TICKS_MAX;
    });
    if (this.#transits.length <= TRANSITS_MAX) return;
    const isKept = (transit: Transit, i: number): boolean =>
      transit.isSeen || i >= this.#transits.length - TRANSITS_MAX;
    this.#transits = this.#transits.filter(isKept);
  }

  get #seenInTransit(): number {
    let count = 0;
    for (const { isSeen } of this.#transits) if (isSeen) count++;
    return count;
  }

  #publishFields(round: number): boolean {
    if (this.#seenInTransit + this.#waits.size === 0)
      return this.rows.publishFields(this.#table, this.#touched, round);
    return this.rows.publishRows(this.#seen(), this.#touched, round);
  }

  #isTouched(): boolean {
    return this.#touched.some((bits) => bits !== 0);
  }

  /** The table, and whoever has left it and is not seen elsewhere yet: until the next call. */
  #seen(): Table {
    if (this.#seenInTransit + this.#waits.size === 0) return this.#table;
    const seen = gathered(this.#kit.schema);
    seen.merge(this.#here(this.#table));
    for (const transit of this.#transits) {
      if (!transit.isSeen) continue;
      const rows = this.#here(transit.rows);
      // One who came back is in the table already.
      if (!seen.mergeDistinct(rows)) mergeOthers(seen, rows);
    }
    return seen;
  }

  /** Without those who are still shown by the cell that they left. */
  #here(table: Table): Table {
    const { ids, count } = table;
    if (this.#waits.size === 0) return table;
    const rows: number[] = [];
    for (let row = 0; row < count; row++) if (!this.#waits.has(ids[row] as number)) rows.push(row);
    return rows.length === count ? table : table.pick(rows);
  }
}

const tables = new WeakMap<LayerSchema, Table>();

/** An empty table. PERF: the same for all cells; to make one takes longer than to fill it. */
function gathered(schema: LayerSchema): Table {
  const table = tables.get(schema) ?? new Table(schema);
  tables.set(schema, table);
  table.clear();
  return table;
}

function mergeOthers(seen: Table, rows: Table): void {
  const others: number[] = [];
  for (let row = 0; row < rows.count; row++) {
    if (seen.find(rows.ids[row] as number) < 0) others.push(row);
  }
  seen.merge(rows.pick(others));
}
