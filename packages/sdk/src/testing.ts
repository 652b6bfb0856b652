/**
 * A whole world in one process, without a store: for tests of systems, and as the reference that
 * every other way of running a world must equal (T1).
 */
import { assert, createRandom, type Random } from '@leasehold/kernel';
import {
  type ChannelEntry,
  type Column,
  decodeOutbox,
  decodeRows,
  type EntityRequest,
  encodeCommit,
  encodeMail,
  encodeRequest,
  type LogEntry,
  OUTBOX,
  type Post,
  type RequestAnswer,
  StateHash,
  Table,
  type Undelivered,
} from '@leasehold/protocol';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import type { CellState } from './cell.ts';
import { compile, type Engine } from './compile.ts';
import type { AnyComponent, ComponentValue, ReadonlyRow } from './component.ts';
import type { EventValue } from './event.ts';
import { simulation as declare, type SeedContext, type Simulation } from './simulation.ts';

export type TestWorldOptions = {
  readonly space: SpaceSpec;
  /** Default 1. */
  readonly seed?: number;
  /** Default 10. */
  readonly tickHz?: number;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Entities to start with, instead of what the simulation's `seed` spawns. */
  readonly entities?: readonly (readonly ComponentValue[])[];
  readonly margin?: number;
  /** In which order cells are stepped; must not matter. A number is the seed of a shuffle. */
  readonly cellOrder?: 'ascending' | 'descending' | number;
  /**
   * Follows every cell's log with a second copy and compares the two after each tick, and reloads a
   * third from its checkpoint. Slow; for tests of the engine.
   */
  readonly verify?: boolean;
  /** A monotonic clock in ms, for `systemMs` of the engine. */
  readonly time?: () => number;
};

/** An entity with one of its components. */
export type Found<C extends AnyComponent> = { readonly id: number } & ReadonlyRow<C>;

/** Opens a world at tick 0. Errors: those of `compile`, of `new Grid` and of `seed`. */
export async function testWorld(
  simulation: Simulation,
  options: TestWorldOptions,
): Promise<TestWorld> {
  const { space, margin, seed = 1, tickHz = 10, params = {}, entities, time } = options;
  const grid = new Grid(space, margin === undefined ? {} : { margin });
  const seedWith = ({ spawn }: SeedContext): void => {
    for (const values of entities ?? []) spawn(...values);
  };
  const started = entities === undefined ? simulation : declare({ ...simulation, seed: seedWith });
  const clock = time === undefined ? {} : { time };
  const engine = compile(started, { layer: 'main', grid, seed, tickHz, params, ...clock });
  const world = new TestWorld(engine, options);
  await world.load();
  return world;
}

export class TestWorld {
  readonly engine: Engine;
  tick = 0;
  births = 0;
  deaths = 0;
  /** Moves from one cell to another. */
  crossings = 0;
  readonly #options: TestWorldOptions;
  readonly #cells: CellState[];
  readonly #followers: CellState[];
  readonly #outSeqs: Float64Array;
  readonly #seqs: Float64Array;
  readonly #random: Random;
  #inFlight: ChannelEntry[] = [];
  readonly #posts = new Map<number, Post[]>();
  #postCount = 0;
  /** Letters that nobody could take, and why. */
  readonly undelivered: Undelivered[] = [];
  /** Answers to what was sent or asked, by the number that `send` and `ask` returned. */
  readonly answers = new Map<string, RequestAnswer>();

  constructor(engine: Engine, options: TestWorldOptions) {
    this.engine = engine;
    this.#options = options;
    const { cells } = engine.grid;
    const all = Array.from({ length: cells }, (_, cell) => cell);
    this.#cells = all.map((cell) => engine.createCell(cell));
    this.#followers = options.verify ? all.map((cell) => engine.createCell(cell)) : [];
    this.#outSeqs = new Float64Array(cells);
    this.#seqs = new Float64Array(cells);
    this.#random = createRandom(typeof options.cellOrder === 'number' ? options.cellOrder : 0);
  }

  async load(): Promise<void> {
    for (const [cell, { body }] of await this.engine.seed()) {
      const entry = this.#entry(cell, 0, body);
      this.#cells[cell]?.restore({ cell, entries: [entry] });
      this.#followers[cell]?.restore({ cell, entries: [entry] });
    }
  }

  #entry(cell: number, tick: number, body: Uint8Array): LogEntry {
    const seq = (this.#seqs[cell] as number) + 1;
    this.#seqs[cell] = seq;
    return { seq, version: 1, epoch: '1', prevHash: '', hash: '', tick, body };
  }

  /** Runs so many ticks. Errors: those of `CellState.step`; then the world is of no more use. */
  run(ticks = 1): this {
    for (let i = 0; i < ticks; i++) this.#step();
    return this;
  }

  #step(): void {
    const tick = ++this.tick;
    const arrivals = Map.groupBy(this.#inFlight, (entry) => entry.to);
    const posts = new Map(this.#posts);
    this.#posts.clear();
    const sent: ChannelEntry[] = [];
    for (const cell of this.#order()) {
      const state = this.#cells[cell] as CellState;
      const { body, out, ...counts } = state.step({
        tick,
        outSeq: this.#outSeqs[cell] as number,
        arrivals: arrivals.get(cell) ?? [],
        posts: posts.get(cell) ?? [],
        isExact: true,
        view: (near) => this.#cells[near]?.view(tick - 1),
      });
      this.#outSeqs[cell] = (this.#outSeqs[cell] as number) + out.length;
      for (const entry of out) {
        if (entry.to === OUTBOX) this.#bring(entry.body);
        else sent.push({ ...entry, from: cell, tick });
      }
      this.births += counts.births;
      this.deaths += counts.deaths;
      this.crossings += counts.departures;
      if (this.#options.verify) this.#verify(state, this.#entry(cell, tick, body));
    }
    this.#inFlight = sent.sort((a, b) => a.from - b.from || a.seq - b.seq);
  }

  /** What the holder of a cell would do with what is for no cell around. */
  #bring(body: Uint8Array): void {
    const { far, dead, answers } = decodeOutbox(body);
    this.undelivered.push(...dead);
    for (const { id, answer } of answers) this.answers.set(id, answer);
    for (const letter of far)
      this.#post(letter.to, letter.post, encodeMail(this.engine.schema, [letter]));
  }

  /** Sends an event from outside; it takes effect with the next tick. Returns the id of its answer. */
  send(to: number, { type, payload }: EventValue): string {
    const request: EntityRequest = { kind: 'event', id: to, event: type.event, payload };
    return this.ask(request);
  }

  /** Asks something of entities, as the API does. Returns the id of its answer. */
  ask(request: EntityRequest): string {
    const id = `ask-${++this.#postCount}`;
    this.#post(request.kind === 'create' ? 0 : request.id, id, encodeRequest(request));
    return id;
  }

  #post(to: number, id: string, body: Uint8Array): void {
    const found = this.#cells.find(({ table }) => table.find(to) !== -1);
    const cell = found?.cell ?? 0;
    const posts = this.#posts.get(cell) ?? [];
    posts.push({ seq: posts.length + 1, id, body });
    this.#posts.set(cell, posts);
  }

  #order(): number[] {
    const { cellOrder = 'ascending' } = this.#options;
    const cells = this.#cells.map((state) => state.cell);
    if (cellOrder === 'descending') return cells.reverse();
    if (cellOrder === 'ascending') return cells;
    const random = this.#random;
    for (let i = cells.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [cells[i], cells[j]] = [cells[j] as number, cells[i] as number];
    }
    return cells;
  }

  #verify(state: CellState, entry: LogEntry): void {
    const follower = this.#followers[state.cell] as CellState;
    follower.apply(entry);
    const loaded = this.engine.createCell(state.cell);
    const checkpoint = { seq: 1, hash: '', tick: state.tick, body: state.checkpoint() };
    loaded.restore({ cell: state.cell, checkpoint, entries: [] });
    const expected = fingerprint(state);
    for (const [who, other] of Object.entries({ follower, loaded })) {
      const found = fingerprint(other);
      assert(found === expected, `cell ${state.cell} at ${entry.tick}: ${who} differs: ${found}`);
    }
  }

  /** How many entities live, those between two cells included. */
  get count(): number {
    return this.#tables().reduce((sum, table) => sum + table.count, 0);
  }

  /** Ids of all entities, ascending. */
  ids(): number[] {
    return this.#tables()
      .flatMap((table) => [...table.ids.subarray(0, table.count)])
      .sort((a, b) => a - b);
  }

  /** All entities that have a component, ascending by id, with copies of its values. */
  all<C extends AnyComponent>(component: C): Found<C>[] {
    const { name } = component.schema;
    const c = this.engine.schema.components.findIndex((known) => known.name === name);
    const found = this.#tables().flatMap((table) => {
      const rows = Array.from({ length: table.count }, (_, row) => row);
      const having = rows.filter((row) => (((table.masks[row] as number) >>> c) & 1) === 1);
      return having.map((row) => recordOf<C>(table, c, row));
    });
    return found.sort((a, b) => a.id - b.id);
  }

  /** Copies of the values of an entity's component; undefined if it has none, or is no more. */
  read<C extends AnyComponent>(id: number, component: C): Found<C> | undefined {
    return this.all(component).find((found) => found.id === id);
  }

  /** The hash of the whole world's state: equal worlds, equal hashes. */
  hash(): string {
    const hash = new StateHash();
    for (const table of this.#tables()) hash.add(table);
    return hash.hex(this.tick);
  }

  /** Rows in cells, and rows that left one cell and have not arrived in another. */
  #tables(): Table[] {
    const flying = this.#inFlight.map(({ body }) => decodeRows(body, this.engine.schema).rows);
    return [...this.#cells.map((state) => state.table), ...flying];
  }
}

function fingerprint({ table, tick, idCounter }: CellState): string {
  const hash = new StateHash();
  hash.add(table);
  // What the codec leaves out cannot differ either: every value of every row is encoded.
  const births = new Table(table.schema);
  const parts = { tick, idCounter, arrivals: [], births, deaths: [], departures: [] };
  return `${hash.hex(tick)} ${table.count} ${encodeCommit(table, parts).length}`;
}

function recordOf<C extends AnyComponent>(table: Table, c: number, row: number): Found<C> {
  const fields = table.schema.components[c]?.fields ?? [];
  const columns = table.columns[c] as Column[];
  const values = fields.map(({ name, kind }, f): [string, unknown] => {
    const held = columns[f]?.[row];
    return [name, kind === 'bool' ? held !== 0 : held];
  });
  return { id: table.ids[row], ...Object.fromEntries(values) } as Found<C>;
}
