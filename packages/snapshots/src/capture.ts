/**
 * A consistent cut of a running world without a pause (S1; Chandy and Lamport 1985, with the tick in the
 * place of the marker): every commit, channel entry and letter carries the tick at whose end it was
 * written, and nothing takes effect in a tick that is not later. So all cells as they were at the end of
 * one tick, and what was on its way then, are one world; each is read when there is time for it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import {
  addressOf,
  type ChannelEntry,
  cellOfAddress,
  type Head,
  type LayerSchema,
  layerOfAddress,
  mailSource,
  OUTBOX,
  type Post,
  type Refusal,
  type SchemaResolver,
  type Store,
} from '@leasehold/protocol';
import type { CapturedCell, CapturedFlight } from '@leasehold/snapshot-store';
import { type CellCut, cutCell, lettersIn, unstable } from './cell-cut.ts';
import type { Sip } from './rate.ts';

/** Cells read in one round trip at most: their images are in memory at once. */
const CELLS_PER_READ_MAX = 32;
/** Cells asked for their positions or channels in one round trip: meanwhile Redis answers nobody else. */
const CELLS_PER_LOOK = 128;
/** A holder that is behind may commit ticks up to the cut while it is read; so often it is looked. */
const ROUNDS_MAX = 50;

export type CaptureLayer = {
  readonly store: Pick<Store, 'layer' | 'heads' | 'load' | 'channel' | 'inboxes'>;
  readonly schema: LayerSchema;
  readonly older: SchemaResolver;
};

export type CaptureOptions = {
  /** In the order of the manifest. */
  readonly layers: readonly CaptureLayer[];
  readonly grid: {
    readonly cells: number;
    neighbours(cell: number): Iterable<number>;
  };
  readonly tick: number;
};

/** What stays in memory of a cell. */
type Seen = {
  readonly cursors: ReadonlyMap<number, number>;
  readonly outSeq: number;
  readonly inbox: number;
  readonly letters: CellCut['letters'];
  readonly taken: readonly ChannelEntry[];
  readonly read: CellCut['read'];
};
/** A channel as far as it was read; `before`: as far as it had been read before that. */
type Sent = {
  readonly entries: readonly ChannelEntry[];
  readonly before: number;
  readonly covered: number;
};
type Place = { readonly layer: number; readonly cell: number };

const NOTHING_SENT: Sent = { entries: [], before: 0, covered: 0 };

export class Capture {
  readonly #options: CaptureOptions;
  readonly #seen = new Map<number, Seen>();
  readonly #sent = new Map<number, Sent>();

  /** Cells with a history, of all layers; known once the first of them is told. */
  cellsTotal = 0;

  /** Every cell has gone past the tick, as far as anybody can know. */
  constructor(options: CaptureOptions) {
    this.#options = options;
  }

  /**
   * All cells that were ever written. One that was behind is told again: the later one counts. With `sip`
   * a little at a time. Throws `SNAPSHOT_UNSTABLE`, and the errors of the store.
   */
  async *cells(sip?: Sip): AsyncGenerator<CapturedCell> {
    let places = await this.#places();
    this.cellsTotal = places.length;
    for (let round = 0; places.length > 0; round++) {
      if (round === ROUNDS_MAX) throw unstable(places[0]?.cell ?? 0, 'its log');
      // In this order: what is no more in a channel was taken by a cell, or brought to an inbox, before.
      await this.#readChannels(places);
      yield* this.#readCells(places, sip);
      // S1: who is far from a cell that was behind is not read again. What that one sent may be there.
      if (round > 0 && this.#isBrought(places)) await this.#readInboxesAgain();
      places = await this.#late();
    }
    this.#verify();
  }

  /** S1: nobody has taken what was not sent. */
  #verify(): void {
    for (const [key, { cursors }] of this.#seen) {
      const { layer, cell } = this.#placeOf(key);
      for (const [address, seq] of cursors) {
        const sent = this.#seen.get(this.#key(this.#resolve(layer, address)))?.outSeq ?? 0;
        if (seq > sent) throw unstable(cell, `what it took of cell ${cellOfAddress(address)}`);
      }
    }
  }

  /** Whether some of these sent, since their channels were read before, what is no more in them. */
  #isBrought(places: readonly Place[]): boolean {
    return places.some((place) => {
      const key = this.#key(place);
      const { entries, before, covered } = this.#sent.get(key) ?? NOTHING_SENT;
      const last = Math.min(covered, this.#seen.get(key)?.outSeq ?? 0);
      const there = entries.filter(({ seq }) => seq > before && seq <= last).length;
      return there < last - before;
    });
  }

  /** Of all cells: a letter that is no more in a channel was brought to one of them before. */
  async #readInboxesAgain(): Promise<void> {
    const { tick } = this.#options;
    const places = [...this.#seen.keys()].map((key) => this.#placeOf(key));
    for (const { layer, cells } of grouped(places, CELLS_PER_LOOK)) {
      const seen = cells.map((cell) => this.#seen.get(this.#key({ layer, cell })) as Seen);
      const from = cells.map((cell, i) => ({ cell, after: seen[i]?.inbox ?? 0 }));
      const inboxes = await readInboxes(this.#layer(layer).store, from);
      for (const [i, { posts, inboxEnd }] of inboxes.entries()) {
        const { cell, after } = from[i] as (typeof from)[number];
        const letters = lettersIn(posts, { cell, tick, inboxEnd, after });
        this.#seen.set(this.#key({ layer, cell }), { ...(seen[i] as Seen), letters });
      }
    }
  }

  /** What was on its way, when all cells were told. */
  *flights(): Generator<CapturedFlight> {
    const taken = this.#takenBySource();
    for (const [key, sent] of this.#sent) {
      const { layer, cell } = this.#placeOf(key);
      const outSeq = this.#seen.get(key)?.outSeq ?? 0;
      const entries = new Map<number, ChannelEntry>();
      for (const entry of [...sent.entries, ...(taken.get(key) ?? [])]) {
        if (entry.seq > outSeq || entry.tick > this.#options.tick) continue;
        if (!this.#isTaken(layer, entry, cell)) entries.set(entry.seq, entry);
      }
      const posts = (this.#seen.get(key)?.letters ?? []).filter(({ id }) => this.#isInCut(id));
      if (entries.size + posts.length === 0) continue;
      const channel = [...entries.values()].sort((a, b) => a.seq - b.seq);
      yield { layer, cell, channel: channel.map((entry) => ({ ...entry, from: cell })), posts };
    }
  }

  /**
   * Whether the cell that sent a letter had done so at the cut. One that was sent on since keeps its tick,
   * and is at the cut where it was before; the id under which it came here would be given out again.
   */
  #isInCut(id: string): boolean {
    const source = mailSource(id);
    const layer = this.#options.layers.findIndex(({ store }) => store.layer === source?.layer);
    if (source === undefined || layer === -1) return true;
    const { cell, seq } = source;
    return seq <= (this.#seen.get(this.#key({ layer, cell }))?.outSeq ?? 0);
  }

  get #cells(): number {
    return this.#options.grid.cells;
  }

  #key({ layer, cell }: Place): number {
    return layer * this.#cells + cell;
  }

  #placeOf(key: number): Place {
    return { layer: Math.floor(key / this.#cells), cell: key % this.#cells };
  }

  /** Of an address or number that a cell of `layer` uses. */
  #resolve(layer: number, address: number): Place {
    const other = layerOfAddress(address);
    return { layer: other === -1 ? layer : other, cell: cellOfAddress(address) };
  }

  /** Whether its reader had it at the cut. What is for no cell is in the channel until it is done. */
  #isTaken(layer: number, { to, seq }: ChannelEntry, from: number): boolean {
    if (to === OUTBOX) return false;
    const reader = this.#resolve(layer, to);
    const name = reader.layer === layer ? from : addressOf(layer, from);
    return seq <= (this.#seen.get(this.#key(reader))?.cursors.get(name) ?? 0);
  }

  /** What cells took since the cut, by whose channel it came from. */
  #takenBySource(): Map<number, ChannelEntry[]> {
    const found = new Map<number, ChannelEntry[]>();
    for (const [key, { taken }] of this.#seen) {
      const { layer, cell } = this.#placeOf(key);
      for (const entry of taken) {
        const source = this.#resolve(layer, entry.from);
        // As the source calls it.
        const to = source.layer === layer ? cell : addressOf(layer, cell);
        const list = found.get(this.#key(source)) ?? [];
        found.set(this.#key(source), list);
        list.push({ ...entry, to });
      }
    }
    return found;
  }

  /** Cells with a history, of all layers. */
  async #places(): Promise<Place[]> {
    const places: Place[] = [];
    for (const [layer, { store }] of this.#options.layers.entries()) {
      for (let first = 0; first < this.#cells; first += CELLS_PER_LOOK) {
        const cells = range(first, Math.min(first + CELLS_PER_LOOK, this.#cells));
        const heads = await headsOf(store, cells);
        for (const { cell, seq } of heads) if (seq > 0) places.push({ layer, cell });
      }
    }
    return places;
  }

  async #readChannels(places: readonly Place[]): Promise<void> {
    const { tick } = this.#options;
    for (const { layer, cells } of grouped(places, CELLS_PER_LOOK)) {
      const { store } = this.#layer(layer);
      const heads = await headsOf(store, cells);
      await Promise.all(
        heads.map(async ({ cell, outSeq }) => {
          const read = outSeq === 0 ? [] : await store.channel(cell, 0);
          // What was seen before may have been brought to an inbox since, which was read before that.
          const seen = this.#sent.get(this.#key({ layer, cell })) ?? NOTHING_SENT;
          const all = new Map([...seen.entries, ...read].map((entry) => [entry.seq, entry]));
          const entries = [...all.values()]
            .filter((entry) => entry.tick <= tick)
            .sort((a, b) => a.seq - b.seq);
          const covered = Math.max(outSeq, read.at(-1)?.seq ?? 0);
          const sent = { entries, before: seen.covered, covered };
          this.#sent.set(this.#key({ layer, cell }), sent);
        }),
      );
    }
  }

  async *#readCells(places: readonly Place[], sip?: Sip): AsyncGenerator<CapturedCell> {
    for (const { layer, cells } of grouped(places, this.#cells)) {
      // Nobody knows before how much is in a cell: it begins with one, and goes by what it has seen.
      let size = sip === undefined ? CELLS_PER_READ_MAX : 1;
      for (let next = 0; next < cells.length; ) {
        const beganMs = performance.now();
        const some = cells.slice(next, next + size);
        next += some.length;
        const { told, bytes, logBytes } = await this.#readSome(layer, some);
        yield* told;
        if (sip === undefined) continue;
        size = cellsOf(sip.bytes, some.length, bytes + logBytes, size);
        await sip.rest(beganMs, logBytes);
      }
    }
  }

  async #readSome(layer: number, cells: readonly number[]) {
    const { tick } = this.#options;
    const { store, schema, older } = this.#layer(layer);
    const heads = await headsOf(store, cells);
    const images = await store.load(
      heads.map((head) => ({ cell: head.cell, head, beforeTick: tick + 1 })),
    );
    const inboxes = await readInboxes(
      store,
      cells.map((cell) => ({ cell, after: 0 })),
    );
    const told: CapturedCell[] = [];
    let bytes = 0;
    let logBytes = 0;
    for (const [i, head] of heads.entries()) {
      const image = images[i];
      if (image === undefined) continue;
      bytes += image.checkpoint?.body.length ?? 0;
      for (const { body } of image.entries) logBytes += body.length;
      const { posts, inboxEnd } = inboxes[i] as Inbox;
      const lastSent = (from: number): number => {
        const sent = this.#sent.get(this.#key(this.#resolve(layer, from)));
        return sent?.entries.at(-1)?.seq ?? 0;
      };
      const cut = cutCell({ head, image, posts, inboxEnd, lastSent }, tick, schema, older);
      const { letters, taken, read, rows, cell, inbox, ...position } = cut;
      const { cursors, outSeq } = position;
      this.#seen.set(this.#key({ layer, cell }), { cursors, outSeq, inbox, letters, taken, read });
      if (position.seq === 0) continue;
      told.push({
        ...position,
        layer,
        cell,
        rows,
        cursors: [...cursors].sort(([a], [b]) => a - b),
      });
    }
    return { told, bytes, logBytes };
  }

  /**
   * Cells whose holder was behind: they have gone on up to the cut since they were read, or sent something
   * by then that was not read. They are read again, and so is whoever may have taken what they sent. And
   * cells that were empty: what was the first to come there may be in no channel any more.
   */
  async #late(): Promise<Place[]> {
    const { tick } = this.#options;
    const late = new Map<number, Place>();
    for (const place of await this.#places()) {
      if (!this.#seen.has(this.#key(place))) late.set(this.#key(place), place);
    }
    const behind: Place[] = [];
    for (const [key, { read, outSeq }] of this.#seen) {
      const place = this.#placeOf(key);
      if (outSeq > (this.#sent.get(key)?.covered ?? 0)) late.set(key, place);
      else if (read.tick < tick) behind.push(place);
    }
    for (const { layer, cells } of grouped(behind, CELLS_PER_LOOK)) {
      for (const { cell, seq } of await headsOf(this.#layer(layer).store, cells)) {
        const key = this.#key({ layer, cell });
        if (seq > (this.#seen.get(key)?.read.seq ?? 0)) late.set(key, { layer, cell });
      }
    }
    for (const { cell } of [...late.values()]) {
      for (const [layer] of this.#options.layers.entries()) {
        for (const other of [cell, ...this.#options.grid.neighbours(cell)]) {
          const key = this.#key({ layer, cell: other });
          if (this.#seen.has(key)) late.set(key, { layer, cell: other });
        }
      }
    }
    return [...late.values()];
  }

  #layer(layer: number): CaptureLayer {
    return this.#options.layers[layer] as CaptureLayer;
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** How many are to be read next, after so many of so many bytes: at most twice as many as before. */
function cellsOf(sipBytes: number, cells: number, bytes: number, before: number): number {
  const fitting = Math.floor((sipBytes * cells) / Math.max(1, bytes));
  return Math.max(1, Math.min(fitting, before * 2, CELLS_PER_READ_MAX));
}

/** By layer, so many cells at a time. */
function* grouped(
  places: readonly Place[],
  size: number,
): Generator<{ readonly layer: number; readonly cells: number[] }> {
  const byLayer = Map.groupBy(places, ({ layer }) => layer);
  for (const [layer, of] of byLayer) {
    for (let i = 0; i < of.length; i += size) {
      yield { layer, cells: of.slice(i, i + size).map(({ cell }) => cell) };
    }
  }
}

async function headsOf(store: Pick<Store, 'heads'>, cells: readonly number[]): Promise<Head[]> {
  const heads: Head[] = [];
  for (const [i, head] of (await store.heads(cells)).entries()) {
    if ('tag' in head) throw unreadable(cells[i] as number, head);
    heads.push(head);
  }
  return heads;
}

/** A cell that sleeps where nobody finds it, or a world that is not there any more. */
function unreadable(cell: number, refusal: Refusal): Error {
  const { tag } = refusal;
  if (tag !== 'UNKNOWN' || refusal.code === undefined)
    return new Error(`cell ${cell}: the store answers ${tag}`);
  return new LeaseholdError(refusal.code, `cell ${cell} sleeps: ${refusal.message}`, {
    field: 'cell',
    value: String(cell),
    remedy: 'Is SNAPSHOTS_URL the database of the pods, and does it answer?',
  });
}

type Inbox = { readonly posts: readonly Post[]; readonly inboxEnd: number };

/** All that can be read of them, and then how far they were taken. */
async function readInboxes(
  store: Pick<Store, 'heads' | 'inboxes'>,
  from: readonly { readonly cell: number; readonly after: number }[],
): Promise<Inbox[]> {
  const posts = await readPosts(store, from);
  const heads = await headsOf(
    store,
    from.map(({ cell }) => cell),
  );
  const ends = from.map(({ after }, i) => posts[i]?.at(-1)?.seq ?? after);
  const isPast = heads.map(({ inboxCursor }, i) => inboxCursor > (ends[i] ?? 0));
  const late = from.flatMap(({ cell }, i) => (isPast[i] ? [{ cell, after: ends[i] ?? 0 }] : []));
  // What came and was taken meanwhile is still there, unless a pod that knows of no cut dropped it.
  const more = await readPosts(store, late);
  return heads.map(({ inboxCursor }, i) => {
    const since = isPast[i] ? (more.shift() ?? []) : [];
    return { posts: [...(posts[i] ?? []), ...since], inboxEnd: inboxCursor };
  });
}

async function readPosts(
  store: Pick<Store, 'inboxes'>,
  from: readonly { readonly cell: number; readonly after: number }[],
): Promise<Post[][]> {
  const found = new Map<number, Post[]>(from.map(({ cell }) => [cell, []]));
  let left = from;
  while (left.length > 0) {
    const more = await store.inboxes(left);
    left = left.flatMap(({ cell }, i) => {
      const posts = more[i] ?? [];
      found.get(cell)?.push(...posts);
      const last = posts.at(-1);
      return last === undefined ? [] : [{ cell, after: last.seq }];
    });
  }
  return from.map(({ cell }) => found.get(cell) ?? []);
}
