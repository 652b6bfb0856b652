/**
 * One subscription, across connections: applies what the gateway says of its cells, keeps the rows
 * readable while there is no gateway, and says what it holds when there is one again.
 */
import { faultReport } from '@leasehold/kernel';
import {
  type Answer,
  type Area,
  type ByteReader,
  CellRows,
  type ClientMessage,
  cellCentre,
  type HeldCell,
  peekCell,
  type SubscribeMessage,
  type ViewShape,
  viewShape,
  type Welcome,
} from '@leasehold/protocol/view';
import { Deadline } from './clock.ts';
import { Emitter } from './emitter.ts';
import { cellColumns, entityAt, valuesOf } from './reading.ts';
import type { RenderClock } from './render-clock.ts';
import { emptyHeld, type Held, Roster, rowOf } from './roster.ts';
import { Stage } from './stage.ts';
import type {
  CellColumns,
  ClientClock,
  Entity,
  Fault,
  Positions,
  SubscribeOptions,
  Subscription,
  SubscriptionEvents,
} from './types.ts';

/** A gateway takes ten moves of an area a second; two clocks are never quite the same. */
const AREA_SPACING_MS = 125;
/** Of the 16 KB of a message; the rest is for area and names. */
const HAVE_BYTES_MAX = 10 * 1024;
/** Cells that one message may ask for. */
const RESYNC_CELLS_MAX = 256;

/** Entities kept readable between two cells; a gateway that never tells all would fill the memory. */
const LAST_SEEN_MAX = 65_536;

/** What a subscription needs of its view. */
export type Line = {
  readonly clock: ClientClock;
  readonly renderClock: RenderClock;
  readonly delayTicks: number;
  /** Of the gateway that is connected now. */
  readonly welcome: Welcome | undefined;
  /** Does nothing while there is no gateway. */
  send(message: ClientMessage): void;
  countUpdates(count: number): void;
  threw(error: unknown): void;
  closed(subscription: LiveSubscription): void;
};

export class LiveSubscription implements Subscription {
  readonly id: number;
  isLive = false;
  tick = 0;
  #area: Area;
  readonly #options: SubscribeOptions;
  readonly #line: Line;
  readonly #events: Emitter<SubscriptionEvents>;
  readonly #roster: Roster;
  readonly #stage: Stage;
  readonly #areaPause: Deadline;
  /** What the gateway is known by; rows of another world are never offered to it. */
  #welcome: Welcome | undefined;
  #shape: ViewShape | undefined;
  /** Whether this connection's gateway has, or will have, the subscription. */
  #isTold = false;
  #isAreaWaiting = false;
  #isClosed = false;
  readonly #lastSeen = new Map<number, Entity>();
  /** Of the frame that is being applied. */
  #broken: number[] = [];
  #resynced: number[] = [];
  #wentLive = false;
  #fault: Fault | undefined;

  constructor(id: number, options: SubscribeOptions, line: Line) {
    this.id = id;
    this.#area = options.area;
    this.#options = options;
    this.#line = line;
    this.#events = new Emitter((error) => line.threw(error));
    this.#stage = new Stage(line.renderClock, line.delayTicks, options);
    this.#roster = new Roster((slot, entity) => this.#stage.assign(slot, entity));
    this.#areaPause = new Deadline(line.clock);
  }

  get area(): Area {
    return this.#area;
  }

  get size(): number {
    return this.#roster.size;
  }

  on<E extends keyof SubscriptionEvents>(
    event: E,
    hear: (value: SubscriptionEvents[E]) => void,
  ): () => void {
    return this.#events.on(event, hear);
  }

  setArea(area: Area): void {
    if (this.#isClosed) return;
    this.#area = area;
    if (this.#line.welcome === undefined) return;
    // The gateway refused it before: perhaps this area is one that it takes.
    if (!this.#isTold) this.begin();
    else if (this.#areaPause.isSet) this.#isAreaWaiting = true;
    else this.#sendArea();
  }

  #sendArea(): void {
    this.#isAreaWaiting = false;
    this.#line.send({ type: 'area', id: this.id, area: this.#area });
    this.#areaPause.set(AREA_SPACING_MS, () => {
      if (this.#isAreaWaiting) this.#sendArea();
    });
  }

  /** There is a gateway: tells it what is wanted and what is held already. */
  begin(): void {
    const { welcome } = this.#line;
    if (welcome === undefined || this.#isClosed || this.#isTold) return;
    const { components, with: having, rateHz, asOf } = this.#options;
    try {
      this.#meet(welcome);
    } catch (error) {
      this.#refused(faultReport(error));
      return;
    }
    const message: SubscribeMessage = {
      type: 'subscribe',
      id: this.id,
      area: this.#area,
      ...(components === undefined ? {} : { components }),
      ...(having === undefined ? {} : { with: having }),
      ...(rateHz === undefined ? {} : { rateHz }),
      ...(asOf === undefined ? {} : { asOf }),
    };
    const have = this.#offer();
    this.#isTold = true;
    this.#line.send(have.length === 0 ? message : { ...message, have });
  }

  #meet(welcome: Welcome): void {
    const shape = viewShape(welcome.components, this.#options.components);
    const known = this.#welcome;
    const isSame =
      known !== undefined &&
      known.world === welcome.world &&
      known.incarnation === welcome.incarnation &&
      JSON.stringify(known.components) === JSON.stringify(welcome.components) &&
      JSON.stringify(known.grid) === JSON.stringify(welcome.grid);
    this.#welcome = welcome;
    if (isSame) return;
    this.#shape = shape;
    this.#stage.set(welcome, shape, this.#roster);
    // Rows of another shape stay readable; their cells get new ones with the next state.
    for (const held of this.#roster.cells.values()) held.isAwaited = true;
  }

  /** Cells that can be taken up, those with most rows first, as many as fit a message. */
  #offer(): HeldCell[] {
    const have: HeldCell[] = [];
    let bytes = 0;
    const byRows = [...this.#roster.cells.values()]
      .filter(({ rows, isAwaited }) => rows.seq >= 0 && !isAwaited)
      .sort((a, b) => b.rows.count - a.rows.count);
    for (const held of byRows) {
      const { seq, hash, count } = held.rows;
      const item = [held.cell, seq, hash, count] as const;
      bytes += JSON.stringify(item).length + 1;
      if (bytes > HAVE_BYTES_MAX) break;
      have.push(item);
      // Unless the gateway says otherwise before it has told everything.
      held.isConfirmed = true;
    }
    return have;
  }

  /** There is no gateway any more. */
  pause(): void {
    this.isLive = false;
    this.#isTold = false;
    this.#isAreaWaiting = false;
    this.#areaPause.clear();
    for (const held of this.#roster.cells.values()) held.isConfirmed = false;
  }

  /** An answer to a message with this id. */
  hear(answer: Answer): void {
    if (answer.ok) return;
    // The newest area is kept by the gateway and comes into force a moment later.
    if (answer.to === 'area' && answer.code === 'RATE_EXCEEDED') return;
    const { code, message, field, value, remedy } = answer;
    const fault = { code, message, field, value, remedy };
    if (answer.to === 'subscribe') this.#refused(fault);
    else this.#fault = fault;
  }

  #refused(fault: Fault): void {
    this.#isTold = false;
    for (const cell of [...this.#roster.cells.keys()]) this.#roster.drop(cell);
    this.#fault = fault;
    this.finish();
  }

  state(body: ByteReader, arrivalMs: number): void {
    const held = this.#held(body);
    const { rows } = held;
    // A state that cannot be read leaves no row, whoever was in it.
    const isAnew = rows.shape !== this.#shape || rows.seq < 0;
    if (isAnew) held.rows = this.#rowsOf(body, held.cell);
    this.#keep(held);
    const change = held.rows.applyState(body);
    held.isAwaited = false;
    this.#roster.place(held);
    const changed = isAnew ? Uint32Array.from(held.slots.keys()) : change.changedRows;
    this.#applied(held, changed, arrivalMs);
  }

  delta(body: ByteReader, arrivalMs: number): void {
    const held = this.#held(body);
    if (held.isAwaited) return;
    this.#keep(held);
    const change = held.rows.applyDelta(body);
    if (change === undefined) {
      held.isAwaited = true;
      held.isConfirmed = true;
      this.#broken.push(held.cell);
      return;
    }
    if (change.entered.length > 0 || change.left.length > 0) this.#roster.place(held);
    this.#applied(held, change.changedRows, arrivalMs);
  }

  #held(body: ByteReader): Held {
    const cell = peekCell(body);
    const known = this.#roster.cells.get(cell);
    if (known !== undefined) return known;
    const held = emptyHeld(cell, this.#rowsOf(body, cell));
    this.#roster.cells.set(cell, held);
    return held;
  }

  #rowsOf(body: ByteReader, cell: number): CellRows {
    const grid = this.#welcome?.grid;
    if (grid === undefined || this.#shape === undefined) throw body.fault('nobody asked for it');
    if (cell >= grid.columns * grid.rows) throw body.fault(`the grid has no cell ${cell}`);
    const [x, y] = cellCentre(grid, cell);
    return new CellRows(this.#shape, cell, x, y);
  }

  /** Not all cells are told: an entity may have left one for another that comes later. */
  get #isPartial(): boolean {
    return this.#isTold && !this.isLive;
  }

  /** Rows that are about to be replaced, for those who will be missing for a moment. */
  #keep({ rows, slots }: Held): void {
    if (!this.#isPartial) return;
    for (let row = 0; row < Math.min(rows.count, slots.length); row++) {
      if ((slots[row] as number) >= 0) {
        this.#lastSeen.set(rows.ids[row] as number, entityAt(rows, row));
      }
    }
    for (const id of this.#lastSeen.keys()) {
      if (this.#lastSeen.size <= LAST_SEEN_MAX) break;
      this.#lastSeen.delete(id);
    }
  }

  #applied(held: Held, changed: Uint32Array, arrivalMs: number): void {
    held.isConfirmed = true;
    this.tick = Math.max(this.tick, held.rows.tick);
    this.#roster.change(held, changed);
    this.#line.countUpdates(changed.length);
    this.#stage.sample(held, arrivalMs);
  }

  gone(cells: readonly number[]): void {
    for (const cell of cells) {
      const held = this.#roster.cells.get(cell);
      if (held !== undefined) this.#keep(held);
      this.#roster.drop(cell);
    }
  }

  resync(cells: readonly number[]): void {
    this.#resynced.push(...cells);
    for (const cell of cells) {
      const held = this.#roster.cells.get(cell);
      if (held === undefined) continue;
      held.isAwaited = true;
      held.isConfirmed = false;
    }
  }

  /** The gateway has told everything: what it did not speak for is not there. */
  live(): void {
    this.isLive = true;
    this.#wentLive = true;
    for (const { cell, isConfirmed } of [...this.#roster.cells.values()]) {
      if (!isConfirmed) this.#roster.drop(cell);
    }
  }

  /** The frame is applied: asks for what is missing, then tells the listeners. */
  finish(): void {
    const broken = this.#broken.splice(0);
    for (let from = 0; from < broken.length; from += RESYNC_CELLS_MAX) {
      const cells = broken.slice(from, from + RESYNC_CELLS_MAX);
      this.#line.send({ type: 'resync', id: this.id, cells });
    }
    const resynced = [...this.#resynced.splice(0), ...broken];
    const now = this.#line.clock.nowMs();
    const isPartial = this.#isPartial;
    const { enter, leave, update } = this.#roster.finish(now, isPartial);
    if (!isPartial) this.#lastSeen.clear();
    const wentLive = this.#wentLive;
    const fault = this.#fault;
    this.#wentLive = false;
    this.#fault = undefined;
    const tell = <E extends keyof SubscriptionEvents>(event: E, value: SubscriptionEvents[E]) => {
      if (!this.#isClosed) this.#events.emit(event, value);
    };
    if (resynced.length > 0) tell('resync', resynced);
    if (leave.length > 0) tell('leave', leave);
    if (enter.length > 0) tell('enter', enter);
    if (update.length > 0) tell('update', update);
    if (wentLive) tell('live', { size: this.size });
    if (fault !== undefined) tell('error', fault);
  }

  has(id: number): boolean {
    return this.#roster.has(id);
  }

  get(id: number): Entity | undefined {
    if (!this.#roster.has(id)) return undefined;
    const home = this.#roster.homeOf(id);
    const row = home === undefined ? -1 : rowOf(home.rows, id);
    return home === undefined || row < 0 ? this.#lastSeen.get(id) : entityAt(home.rows, row);
  }

  ids(): IterableIterator<number> {
    return this.#roster.ids();
  }

  values(component: string, field: string): ReturnType<Subscription['values']> {
    return valuesOf(this.#roster.cells.values(), component, field);
  }

  *cells(): IterableIterator<CellColumns> {
    for (const { rows } of this.#roster.cells.values()) yield cellColumns(rows);
  }

  positions(nowMs: number): Positions {
    return this.#stage.positions(nowMs, this.#roster);
  }

  close(): void {
    if (this.#isClosed) return;
    if (this.#isTold) this.#line.send({ type: 'unsubscribe', id: this.id });
    this.#isClosed = true;
    this.isLive = false;
    this.#areaPause.clear();
    for (const cell of [...this.#roster.cells.keys()]) this.#roster.drop(cell);
    this.#roster.finish(0, false);
    this.#line.closed(this);
  }
}
