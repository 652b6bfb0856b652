/**
 * A world whose entities walk about and write to each other, wherever they are. Each counts what it
 * wrote to whom, and who is written to checks that it gets all of it, once and in order.
 */
import { channelKind, decodeRows, type Store, type Table } from '@leasehold/protocol';
import {
  component,
  event,
  f64,
  json,
  type Simulation,
  simulation,
  system,
  Undelivered,
  u32,
} from '@leasehold/sdk';
import type { Engine } from '@leasehold/sdk/engine';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Heading = component('heading', 1, { x: f64, y: f64 });
/** By the other's id: how many letters it was sent, or got from. */
const Sent = component('sent', 1, { to: json<Record<string, number>>({}), total: u32, back: u32 });
const Got = component('got', 1, {
  from: json<Record<string, number>>({}),
  total: u32,
  faults: u32,
  late: u32,
});
const Book = component('book', 1, { ids: json<number[]>([]) });
const Note = event('note', 1, { n: u32, tick: u32 });

export type CourierOptions = {
  readonly count: number;
  /** Nobody writes from this tick on. */
  readonly untilTick: number;
  /** The side of the square that they walk in. */
  readonly side: number;
  /** How far somebody may be whom one writes to; all by default. */
  readonly near?: number;
};

export function couriers({ count, untilTick, side, near }: CourierOptions): Simulation {
  const walk = system({
    name: 'walk',
    writes: { position: Position, heading: Heading },
    each({ position, heading }, { random }) {
      if (random.chance(0.05)) {
        const angle = random.between(0, 2 * Math.PI);
        heading.x = Math.cos(angle);
        heading.y = Math.sin(angle);
      }
      position.x += heading.x * 1.5;
      position.y += heading.y * 1.5;
    },
  });
  const write = (
    sent: { to: Readonly<Record<string, number>>; total: number },
    to: number,
    { emit, tick }: { emit: (to: number, value: ReturnType<typeof Note>) => boolean; tick: number },
  ): void => {
    const n = (sent.to[to] ?? 0) + 1;
    if (!emit(to, Note({ n, tick }))) return;
    sent.to = { ...sent.to, [to]: n };
    sent.total += 1;
  };
  const writeFar = system({
    name: 'write',
    reads: { book: Book },
    writes: { sent: Sent },
    emits: [Note],
    each({ book, sent }, context) {
      if (context.tick >= untilTick || !context.random.chance(0.5)) return;
      write(sent, book.ids[context.random.below(book.ids.length)] ?? context.id, context);
    },
  });
  const writeNear = system({
    name: 'write',
    writes: { sent: Sent },
    neighbours: { radius: near ?? 1, reads: { position: Position } },
    emits: [Note],
    each({ sent }, context) {
      if (context.tick >= untilTick) return;
      for (const other of context.neighbours) write(sent, other.id, context);
    },
  });
  const read = system({
    name: 'read',
    on: { note: Note },
    writes: { got: Got },
    each({ note, got }, { from, tick }) {
      if ((got.from[from] ?? 0) + 1 !== note.n) got.faults += 1;
      got.from = { ...got.from, [from]: note.n };
      got.total += 1;
      got.late = Math.max(got.late, tick - note.tick);
    },
  });
  const mourn = system({
    name: 'mourn',
    after: ['write'],
    on: { lost: Undelivered },
    writes: { sent: Sent },
    each({ sent }) {
      sent.back += 1;
    },
  });
  return simulation({
    components: [Position, Heading, Sent, Got, Book],
    systems: [walk, near === undefined ? writeFar : writeNear, read, mourn],
    seed({ random, spawn, space }) {
      const places = Array.from({ length: count }, () => {
        return { x: random.between(0, side), y: random.between(0, side) };
      });
      // Ids are those that `spawn` will give: the cell's number, and its counter.
      const counters = new Map<number, number>();
      const ids = places.map(({ x, y }) => {
        const cell = space.cellAt(x, y);
        const n = (counters.get(cell) ?? 0) + 1;
        counters.set(cell, n);
        return cell * 2 ** 32 + n;
      });
      const book = near === undefined ? ids : [];
      for (const { x, y } of places) {
        spawn(Position({ x, y }), Heading({ x: 1, y: 0 }), Sent(), Got(), Book({ ids: book }));
      }
    },
  });
}

export type Post = {
  readonly sent: number;
  readonly got: number;
  readonly back: number;
  /** Letters that were repeated, left out or out of order. */
  readonly faults: number;
  /** Most ticks that one was under way. */
  readonly late: number;
  readonly dead: number;
};

/** What was written and read, from the store alone; those in flight between cells included. */
export async function mailCount(store: Store, engine: Engine): Promise<Post> {
  const cells = [...Array(engine.grid.cells).keys()];
  const sum = { sent: 0, got: 0, back: 0, faults: 0, late: 0 };
  const cursors = new Map<number, ReadonlyMap<number, number>>();
  for (const head of await store.heads(cells)) {
    if (!('tag' in head)) cursors.set(head.cell, head.cursors);
  }
  const tables: Table[] = [];
  for (const image of await store.load(cells.map((cell) => ({ cell })))) {
    const state = engine.createCell(image.cell);
    state.restore(image);
    tables.push(state.table);
    for (const { seq, from, to, body } of await store.channel(image.cell, 0)) {
      const isTaken = seq <= (cursors.get(to)?.get(from) ?? 0);
      if (channelKind(body) !== 'rows' || isTaken) continue;
      tables.push(decodeRows(body, engine.schema).rows);
    }
  }
  for (const table of tables) {
    const column = (name: string, field: string): Float64Array => {
      const c = table.schema.components.findIndex((known) => known.name === name);
      const f = table.schema.components[c]?.fields.findIndex((known) => known.name === field) ?? 0;
      return table.columns[c]?.[f] as Float64Array;
    };
    for (let row = 0; row < table.count; row++) {
      sum.sent += column('sent', 'total')[row] as number;
      sum.back += column('sent', 'back')[row] as number;
      sum.got += column('got', 'total')[row] as number;
      sum.faults += column('got', 'faults')[row] as number;
      sum.late = Math.max(sum.late, column('got', 'late')[row] as number);
    }
  }
  const dead = await store.deadLetters(10_000);
  return { ...sum, dead: dead.length };
}
