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

export class LiveCell {
  readonly cell: number;
  readonly rows: Published;
  readonly spatial: CellKit['spatial'];
  seq = 0;
  hash = '';
  epoch = '';
  tick = 0;
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
   * `channel`: its own channel, read after. Errors: those of the decoders.
   */
  load(
    image: CellImage,
    cursors: ReadonlyMap<number, number>,
    channel: readonly ChannelEntry[],
  ): void {
    const { schema, older } = this.#kit;
    this.isReady = false;
    this.#table = new Table(schema);
    this.seq = 0;
    this.hash = '';
    this.tick = 0;
    if (image.checkpoint !== undefined) {
      const stored = decodeCheckpoint(image.checkpoint.body, schema, older);
      this.#table = stored.table;
      this.tick = stored.tick;
      this.seq = image.checkpoint.seq;
      this.hash = image.checkpoint.hash;
    }
    this.#consumed.clear();
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

  /** Follows the log by one entry. Errors: `BODY_MALFORMED`, `SCHEMA_INCOMPATIBLE`. */
  apply(entry: LogEntry): void {
    assert(entry.seq === this.seq + 1 || this.seq === 0, 'a log is followed without gaps');
    const body = decodeCommit(entry.body, this.#kit.schema, this.#kit.older);
    for (const { from, seq } of body.arrivals) {
      this.#consumed.set(from, Math.max(seq, this.consumedOf(from)));
    }
    applyCommit(this.#table, body, (table) => {
      for (const { to, seq, ids } of body.departures) {
        const rows = table.pick(ids.map((id) => table.find(id)));
        this.#transits.push({ to, seq, tick: body.tick, rows, isSeen: false });
      }
    });
    for (const { component, field } of body.changes) {
      this.#touched[component] = ((this.#touched[component] as number) | (1 << field)) >>> 0;
    }
    if (
      body.arrivals.length + body.births.count + body.deaths.length + body.departures.length > 0 ||
      body.masks !== undefined
    ) {
      this.#isMoved = true;
      // Who comes back, or gains a component, brings values of its own.
      if (body.masks !== undefined || body.arrivals.length > 0) this.#touched.fill(0xffff_ffff);
    }
    this.seq = entry.seq;
    this.hash = entry.hash;
    this.epoch = entry.epoch;
    this.tick = body.tick;
  }

  /**
   * Publishes what the round brought. `isUnderway` says whether a departure is still to be seen to
   * arrive. Answers whether views can see a difference.
   */
  publish(round: number, isUnderway: (to: number, seq: number) => boolean | undefined): boolean {
    if (this.#transits.length > 0) this.#lookAfter(isUnderway);
    this.shown.tick = this.tick;
    this.shown.seq = this.seq;
    this.shown.hash = this.hash32;
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

  #lookAfter(isUnderway: (to: number, seq: number) => boolean | undefined): void {
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
    if (this.#seenInTransit === 0)
      return this.rows.publishFields(this.#table, this.#touched, round);
    return this.rows.publishRows(this.#seen(), this.#touched, round);
  }

  #isTouched(): boolean {
    return this.#touched.some((bits) => bits !== 0);
  }

  /** The table, and whoever has left it and is not seen elsewhere yet: until the next call. */
  #seen(): Table {
    if (this.#seenInTransit === 0) return this.#table;
    const seen = gathered(this.#kit.schema);
    seen.merge(this.#table);
    for (const { rows, isSeen } of this.#transits) {
      if (!isSeen) continue;
      // One who came back is in the table already.
      if (!seen.mergeDistinct(rows)) mergeOthers(seen, rows);
    }
    return seen;
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
