/**
 * One cell of one layer: its rows, and the one step that turns a tick into the next. The same class
 * serves the holder of the cell, which steps it, and everybody else, who applies its log.
 *
 * It never reads a store, a clock or another cell: what a tick needs is handed in.
 */
import { assert, entityId, LeaseholdError } from '@leasehold/kernel';
import {
  applyCommit,
  type CellImage,
  type ChannelEntry,
  type CommitParts,
  channelKind,
  type Departure,
  decodeCheckpoint,
  decodeCommit,
  decodeMail,
  decodePost,
  decodeRows,
  encodeCheckpoint,
  encodeCommit,
  encodeMail,
  encodeOutbox,
  encodeRows,
  type Letter,
  type LogEntry,
  layerOfAddress,
  OUTBOX,
  type Post,
  type SchemaResolver,
  settle,
  Table,
} from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import { type Placement, Requests } from './births.ts';
import { Bonds, type LayerKit } from './bonds.ts';
import { ChangeMemory } from './changes.ts';
import { leavingRows, wrapPositions } from './crossing.ts';
import { type MailInput, type MailKit, Mailroom, type PostedRequest } from './mailroom.ts';
import { type MaskSpan, maskSpan } from './mask-span.ts';
import type { Runner } from './runner.ts';
import type { Host } from './running.ts';
import { type Classes, Debts, hasNews, type Told } from './told.ts';
import { CellView, type ViewField } from './view.ts';

/** What all cells of an engine share. */
export type CellKit = {
  readonly grid: Grid;
  readonly placement: Placement;
  readonly runner: Runner;
  readonly viewFields: readonly ViewField[];
  readonly needsHalo: boolean;
  readonly mail: MailKit;
  readonly usesChanged: boolean;
  /** Components that are not told in each tick, or not stored; undefined: there are none. */
  readonly classes: Classes | undefined;
  /** Undefined in a world of one layer. */
  readonly layers: LayerKit | undefined;
  /** Of a layer that another reads: views have all rows, and no more is done with them. */
  readonly isRead: boolean;
};

export type StepInput = {
  readonly tick: number;
  /** Last sequence number of the cell's channel. */
  readonly outSeq: number;
  /** Ticks that are left out before this one. */
  readonly jumped?: number;
  /** Channel entries to merge, in the order in which a follower will merge them. */
  readonly arrivals: readonly ChannelEntry[];
  /** What the inbox asks of the cell, in its order. */
  readonly posts?: readonly Post[];
  /** Lockstep: views are of the tick before, exactly. */
  readonly isExact?: boolean;
  /** How often this tick was tried before, by this holder or by others who died. */
  readonly tries?: number;
  /** Nothing may follow for long, here or at all: the commit tells all that changed. */
  readonly isLast?: boolean;
  /** If there is a commit, a checkpoint should come with it. */
  readonly isCheckpointDue?: boolean;
  /** A neighbour at the end of the previous tick, or in realtime as it was last seen. */
  view(cell: number): CellView | undefined;
  /** A cell of another layer, this one or one around it, as of the same tick as `view`. */
  foreign?(layer: number, cell: number): CellView | undefined;
  /** Where those may be found whom no cell around has: `StepResult.strays` of a tick before. */
  readonly leads?: ReadonlyMap<number, number>;
};

export type StepResult = {
  /** Whether anything happened that a follower must know. A quiet tick's body is still valid. */
  readonly changed: boolean;
  /** Whether followers then have what the cell has, so that a checkpoint may come with it. */
  readonly isWhole: boolean;
  readonly body: Uint8Array;
  /** Channel entries, destinations ascending, sequence numbers from `outSeq + 1`. */
  readonly out: readonly { readonly seq: number; readonly to: number; readonly body: Uint8Array }[];
  readonly births: number;
  readonly deaths: number;
  readonly departures: number;
  /** Entities that came from other cells. */
  readonly arrived: readonly number[];
  readonly died: readonly number[];
  /** Whom the layer that says where all are has nowhere around, for long. */
  readonly strays: readonly number[];
};

type Sent = { readonly seq: number; readonly to: number; readonly body: Uint8Array };
type Welcomed = {
  readonly arrived: readonly number[];
  /** How many another layer bore. */
  readonly born: number;
  readonly letters: readonly Letter[];
};
const NOBODY: Welcomed = { arrived: [], born: 0, letters: [] };

/** Two views are kept; the third is the one that is written next. */
const VIEWS = 3;

export class CellState implements Host {
  readonly cell: number;
  readonly requests: Requests;
  readonly mailroom: Mailroom;
  readonly isHome: boolean;
  tick = 0;
  idCounter = 0;
  /** Whether the latest view has rows that left with its tick. */
  hasInFlight = false;
  readonly #kit: CellKit;
  readonly #older: SchemaResolver | undefined;
  readonly #views: CellView[];
  readonly #memory: ChangeMemory | undefined;
  readonly #debts: Debts | undefined;
  #table: Table;
  #isSpoilt = false;
  readonly #bonds: Bonds | undefined;
  /** Undefined when rows may have come, gone or changed their components since. */
  #span: MaskSpan | undefined;
  /** Tick of the checkpoint restored from: nobody knows who was in flight then (T1). */
  #storedTick = -1;

  /** An empty cell at the end of tick 0. `older`: schemas that stored bodies may be written in. */
  constructor(kit: CellKit, cell: number, older?: SchemaResolver) {
    this.cell = cell;
    this.#kit = kit;
    this.#older = older;
    this.#table = new Table(kit.placement.schema, 0);
    this.requests = new Requests(kit.placement, kit.layers !== undefined);
    this.isHome = kit.layers === undefined || kit.layers.index === kit.layers.home;
    this.#bonds = kit.layers === undefined ? undefined : new Bonds(kit.layers, kit.grid, cell);
    this.mailroom = new Mailroom(kit.mail, cell);
    this.#views = Array.from({ length: VIEWS }, () => new CellView(cell, kit.viewFields));
    this.#memory = kit.usesChanged ? new ChangeMemory() : undefined;
    this.#debts = kit.classes && new Debts(kit.classes, cell);
    this.#publish(this.#table, 0);
  }

  /** Rows at the end of `tick`. Only the engine changes it. */
  get table(): Table {
    return this.#table;
  }

  /** Which components the rows have, before births and exchanges of the tick. */
  get masks(): MaskSpan {
    if (this.#span === undefined) this.#span = maskSpan(this.#table);
    return this.#span;
  }

  /** Whether it has changes that its log has not been told. */
  get isAhead(): boolean {
    return this.#debts?.isAhead(this.#table) ?? false;
  }

  /** A new holder begins, in realtime: what is never stored starts from its initial values. */
  takeOver(): void {
    if (this.#debts?.takeOver(this.#table) === true) this.#memory?.clear();
  }

  /** The next id of an entity that this cell bears. */
  nextId(): number {
    const { layers } = this.#kit;
    this.idCounter++;
    return entityId(
      this.cell,
      layers === undefined ? this.idCounter : layers.counterOf(this.idCounter),
    );
  }

  /**
   * Becomes what an image says: its checkpoint, then its entries up to `untilTick` (default all).
   * Returns the entries that it left. Errors: those of `decodeCheckpoint` and `apply`.
   */
  restore(image: CellImage, untilTick = Number.POSITIVE_INFINITY): LogEntry[] {
    const { schema } = this.#kit.placement;
    this.#isSpoilt = false;
    this.#span = undefined;
    this.mailroom.forget();
    this.#memory?.clear();
    for (const view of this.#views) view.tick = -1;
    if (image.checkpoint === undefined) {
      this.#table = new Table(schema, 0);
      this.tick = 0;
      this.idCounter = 0;
    } else {
      const stored = decodeCheckpoint(image.checkpoint.body, schema, this.#older);
      this.#table = stored.table;
      this.tick = stored.tick;
      this.idCounter = stored.idCounter;
    }
    this.#storedTick = image.checkpoint === undefined ? -1 : this.tick;
    this.#debts?.follow(this.tick);
    this.#publish(this.#table, this.tick);
    const late = image.entries.findIndex((entry) => entry.tick > untilTick);
    const due = late === -1 ? image.entries : image.entries.slice(0, late);
    for (const entry of due) this.apply(entry);
    return image.entries.slice(due.length);
  }

  /**
   * Follows the log by one entry. Errors: `BODY_MALFORMED`, `SCHEMA_INCOMPATIBLE`; then the cell
   * must be restored.
   */
  apply(entry: LogEntry): void {
    assert(!this.#isSpoilt, 'a spoilt cell is restored before it goes on');
    this.#isSpoilt = true;
    this.#span = undefined;
    const body = decodeCommit(entry.body, this.#kit.placement.schema, this.#older);
    applyCommit(this.#table, body, (table) => this.#close(table, body));
    this.tick = body.tick;
    this.idCounter = body.idCounter;
    this.#debts?.follow(this.tick);
    if (body.arrivals.length > 0) this.mailroom.forget();
    for (const { to, ids } of body.departures) this.mailroom.note(to, ids, body.tick);
    this.hasInFlight = body.departures.some(({ ids }) => ids.length > 0);
    this.#isSpoilt = false;
  }

  /**
   * Time passes and nothing happens: the rows as they are become the view of `tick`, without those
   * who left, since they are elsewhere by then. For realtime only.
   */
  refresh(tick: number): void {
    assert(!this.#isSpoilt, 'a spoilt cell is restored before it goes on');
    this.tick = tick;
    this.hasInFlight = false;
    this.#publish(this.#table, tick);
  }

  /**
   * The cell as others see it at the end of a tick, those who left with that tick included. The
   * last two are kept. Empty when no system reads neighbours.
   */
  view(tick: number): CellView | undefined {
    if (tick === this.#storedTick) return undefined;
    return this.#views.findLast((view, i) => i > 0 && view.tick === tick);
  }

  latestView(): CellView | undefined {
    const latest = this.#views[VIEWS - 1];
    return latest?.tick === -1 ? undefined : latest;
  }

  /** Every row, as a successor loads it. To be taken only when the last step was whole. */
  checkpoint(): Uint8Array {
    assert(!this.#isSpoilt, 'a spoilt cell has no checkpoint');
    const { tick, idCounter } = this;
    const isWhole = this.#debts?.checkpoint() ?? true;
    return encodeCheckpoint(this.#table, { tick, idCounter, isWhole });
  }

  /**
   * Runs one tick. `tick` must be above the cell's.
   *
   * Errors: `SYSTEM_FAILED` and `SPATIAL_NOT_FINITE`, naming system, entity, cell and tick. Then,
   * as after any error, the cell is spoilt: it must be restored before it is used again.
   */
  step(input: StepInput): StepResult {
    assert(!this.#isSpoilt, 'a spoilt cell is restored before it goes on');
    assert(input.tick > this.tick, `cell ${this.cell} is past tick ${input.tick}`);
    this.#isSpoilt = true;
    const { requests } = this;
    const table = this.#table;
    const idCounter = this.idCounter;
    if (input.arrivals.length > 0) this.#span = undefined;
    const { arrived, born, letters } = this.#welcome(input.arrivals);
    const strays = this.#bonds?.copy(table, input) ?? NOBODY.arrived;
    if (this.#bonds !== undefined) this.#span = undefined;
    requests.begin(table);
    const mail = this.#mailInput(input, letters);
    this.mailroom.begin(table, requests, mail);
    if (this.mailroom.hasNews || requests.births.count > 0) this.#span = undefined;
    const { runner } = this.#kit;
    const view = this.#bonds?.refreshed(input) ?? input.view;
    const own = this.view(input.tick - 1) ?? this.latestView();
    runner.run(this, {
      tick: input.tick,
      changes: this.#memory?.align(table),
      own: own && (this.#bonds?.refresh(own, input) ?? own),
      view,
    });
    if (requests.emitted.length + requests.endings.length > 0 || this.mailroom.hasReturns) {
      this.mailroom.emit(table, requests, {
        cellOf: (id) => this.#cellOf(id, input),
        homeOf: (id) => this.#homeOf(id, input),
      });
    }
    requests.exchange(table);
    wrapPositions(table, this.#kit.placement);
    const { departures, out } = this.#departures(input);
    const died = requests.deathsOf(table);
    this.#send(out, departures, { input, died });
    const parts: CommitParts = {
      tick: input.tick,
      idCounter: this.idCounter,
      arrivals: input.arrivals,
      births: requests.births,
      deaths: died,
      departures,
      ...(input.jumped === undefined ? {} : { jumped: input.jumped }),
    };
    const left = departures.reduce((sum, { ids }) => sum + ids.length, 0);
    const told = this.#tell(parts, input, this.idCounter !== idCounter);
    const result: StepResult = {
      changed: told.isNews,
      isWhole: told.isWhole,
      body: encodeCommit(table, parts, told.marks),
      out,
      births: requests.births.count + born,
      deaths: died.length,
      departures: left,
      arrived,
      died,
      strays,
    };
    if (requests.exchanges.length + result.births + result.deaths + left > 0)
      this.#span = undefined;
    this.#debts?.settle(table, told.marks);
    settle(table, parts, (settled) => this.#close(settled, parts));
    this.tick = input.tick;
    for (const { to, ids } of departures) this.mailroom.note(to, ids, input.tick);
    this.hasInFlight = left > 0;
    this.#isSpoilt = false;
    return result;
  }

  /** What of the tick is in its commit. */
  #tell(parts: CommitParts, input: StepInput, hasCounted: boolean): Told {
    const { posts = [], isExact = false, isLast = false, isCheckpointDue = false } = input;
    const isNews = hasCounted || (input.jumped ?? 0) > 0 || posts.length > 0;
    const table = this.#table;
    if (this.#debts === undefined) {
      const marks = table.dirty;
      return { marks, isNews: isNews || hasNews(table, parts, marks), isWhole: true };
    }
    const { tick } = input;
    const { touched: rows } = this.mailroom;
    const telling = { tick, isExact, isLast, isCheckpointDue, isNews, rows };
    return this.#debts.tell(table, parts, telling);
  }

  #welcome(entries: readonly ChannelEntry[]): Welcomed {
    if (entries.length === 0) return NOBODY;
    const { schema } = this.#kit.placement;
    const arrived: number[] = [];
    const letters: Letter[] = [];
    let born = 0;
    for (const { body, from } of entries) {
      if (channelKind(body) === 'mail') {
        letters.push(...decodeMail(body));
        continue;
      }
      const { rows } = decodeRows(body, schema, this.#older);
      this.#table.merge(rows);
      // Those whom another layer bears are here from the first.
      if (layerOfAddress(from) !== -1) {
        born += rows.count;
        continue;
      }
      for (let row = 0; row < rows.count; row++) arrived.push(rows.ids[row] as number);
    }
    if (arrived.length > 0) this.mailroom.forget();
    return { arrived, born, letters };
  }

  #mailInput({ tick, posts, isExact, tries }: StepInput, letters: readonly Letter[]): MailInput {
    const requests: PostedRequest[] = [];
    const all = posts === undefined || posts.length === 0 ? letters : [...letters];
    const malformed: { id: string; error: LeaseholdError }[] = [];
    for (const { id, body } of posts ?? []) {
      try {
        const post = decodePost(body);
        if ('request' in post) requests.push({ id, request: post.request });
        else (all as Letter[]).push(...post.letters);
      } catch (error) {
        // Anybody may have posted it: it stops nothing.
        if (!(error instanceof LeaseholdError)) throw error;
        malformed.push({ id, error });
      }
    }
    const how = { isExact: isExact ?? false, tries: tries ?? 0 };
    return { tick, letters: all, requests, malformed, ...how };
  }

  /** In which of the cells around somebody is; undefined: in none, for all that was seen. */
  #cellOf(id: number, { view }: StepInput): number | undefined {
    const around = this.#kit.grid.neighbours(this.cell);
    for (const cell of around) {
      const seen = view(cell);
      if (seen?.has(id) !== true) continue;
      // T1, M2: where it is during this tick, whoever looks; else a later letter could be sooner.
      const to = seen.leaving?.get(id) ?? cell;
      return to === this.cell || around.includes(to) ? to : undefined;
    }
    return undefined;
  }

  /** In which cell, this one or one around, somebody is for the layer that says where all are. */
  #homeOf(id: number, input: StepInput): number | undefined {
    if (!this.isHome) return this.#bonds?.homeOf(id, input);
    return this.#table.find(id) === -1 ? this.#cellOf(id, input) : this.cell;
  }

  /**
   * One channel entry more for each cell that letters go to, one for what the holder brings, and for
   * each other layer the rows that are born and the ids of those who died.
   */
  #send(
    out: Sent[],
    departures: Departure[],
    { input, died }: { readonly input: StepInput; readonly died: readonly number[] },
  ): void {
    const { mailroom } = this;
    const { schema } = this.#kit.placement;
    const add = (to: number, body: Uint8Array): void => {
      const seq = input.outSeq + out.length + 1;
      out.push({ seq, to, body });
      departures.push({ to, seq, ids: [] });
    };
    this.#bonds?.tell(this.requests, { died, tick: input.tick, isHome: this.isHome }, add);
    if (!mailroom.hasNews) return;
    const { onward, far, dead, answers } = mailroom;
    for (const to of [...onward.keys()].sort((a, b) => a - b)) {
      add(to, encodeMail(this.#bonds?.schemaAt(to) ?? schema, onward.get(to) as Letter[]));
    }
    if (far.length + dead.length + answers.length > 0) {
      add(OUTBOX, encodeOutbox(schema, { far, dead, answers }));
    }
  }

  /** Finds who belongs elsewhere now, and writes one channel entry per destination. */
  #departures(input: StepInput): { departures: Departure[]; out: Sent[] } {
    const { gone } = this.requests;
    const leaving = leavingRows(this.#table, this.#kit.placement, this.cell, gone);
    const departures: Departure[] = [];
    const out: Sent[] = [];
    for (const to of [...leaving.keys()].sort((a, b) => a - b)) {
      const rows = leaving.get(to) as number[];
      const seq = input.outSeq + out.length + 1;
      const ids = rows.map((row) => this.#table.ids[row] as number);
      departures.push({ to, seq, ids });
      out.push({ seq, to, body: encodeRows(this.#table.pick(rows), input.tick) });
    }
    return { departures, out };
  }

  /**
   * At the end of a tick: births merged, deaths removed, who left still there, marks not cleared.
   */
  #close(table: Table, { tick, births, departures }: Closing): void {
    this.#memory?.take(table, births);
    this.#publish(table, tick, departures);
  }

  #publish(table: Table, tick: number, departures: readonly Departure[] = []): void {
    const view = this.#views.shift() as CellView;
    view.leaving = departures.length === 0 ? undefined : leavingOf(departures);
    const { spatial } = this.#kit.placement;
    if (this.#kit.isRead) view.takeAll(table, tick);
    else if (this.#kit.needsHalo && spatial !== undefined) view.take(table, tick, spatial);
    else view.tick = tick;
    this.#views.push(view);
  }
}

type Closing = Pick<CommitParts, 'tick' | 'births' | 'departures'>;

function leavingOf(departures: readonly Departure[]): Map<number, number> {
  const leaving = new Map<number, number>();
  for (const { to, ids } of departures) for (const id of ids) leaving.set(id, to);
  return leaving;
}
