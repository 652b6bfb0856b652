/**
 * Couriers walk about and write to each other, wherever they are. Each counts what it wrote to whom;
 * who is written to checks that all of it comes, once and in order, and how many ticks it took.
 */
import {
  component,
  event,
  f64,
  json,
  simulation,
  system,
  Undelivered,
  u32,
  type Values,
} from '@leasehold/sdk';

export const Position = component(
  'position',
  1,
  { x: f64, y: f64 },
  { spatial: ['x', 'y'], steps: { x: 0.05, y: 0.05 } },
);
export const Heading = component('heading', 1, { x: f64, y: f64 });
/** Whom it writes to. */
export const Book = component('book', 1, { ids: json<number[]>([]) });
/** `to`: letters by the other's id. `back`: those that found nobody. */
export const Sent = component('sent', 1, {
  to: json<Record<string, number>>({}),
  total: u32,
  back: u32,
});
/** `faults`: letters that were repeated, left out or out of order. */
export const Got = component('got', 1, {
  from: json<Record<string, number>>({}),
  total: u32,
  faults: u32,
});
/** Letters by the ticks that they took; `later`: more than 8. */
const ways = { t1: u32, t2: u32, t3: u32, t4: u32, t5: u32, t6: u32, t7: u32, t8: u32, later: u32 };
export const Ways = component('ways', 1, ways);

export const Note = event('note', 1, { n: u32, tick: u32 });

const writing = { untilTick: 1_000_000_000, letterChance: 0.05, reach: 0 };

const walk = system({
  name: 'walk',
  writes: { position: Position, heading: Heading },
  params: { speed: 1.5 },
  each({ position, heading }, { random, params }) {
    if (random.chance(0.05)) {
      const angle = random.between(0, 2 * Math.PI);
      heading.x = Math.cos(angle);
      heading.y = Math.sin(angle);
    }
    position.x += heading.x * params.speed;
    position.y += heading.y * params.speed;
  },
});

type SentRow = { to: Readonly<Record<string, number>>; total: number };
type Writer = {
  readonly tick: number;
  readonly emit: (to: number, note: ReturnType<typeof Note>) => boolean;
};

function write(sent: SentRow, to: number, { emit, tick }: Writer): void {
  const n = (sent.to[to] ?? 0) + 1;
  // Nothing was sent when the cell has sent too much in this tick.
  if (!emit(to, Note({ n, tick }))) return;
  sent.to = { ...sent.to, [to]: n };
  sent.total += 1;
}

/** To one of its friends, wherever it is. */
const writeFar = system({
  name: 'write-far',
  reads: { book: Book },
  writes: { sent: Sent },
  emits: [Note],
  params: writing,
  each({ book, sent }, context) {
    const { random, params, tick } = context;
    if (params.reach > 0 || tick >= params.untilTick) return;
    if (!random.chance(params.letterChance) || book.ids.length === 0) return;
    write(sent, book.ids[random.below(book.ids.length)] ?? 0, context);
  },
});

/** To everybody within reach, if the world says how far that is. */
const writeNear = system({
  name: 'write-near',
  after: ['write-far'],
  writes: { sent: Sent },
  neighbours: { radius: ({ reach }) => Math.max(reach, 0.001), reads: { position: Position } },
  emits: [Note],
  params: writing,
  each({ sent }, context) {
    const { params, tick } = context;
    if (params.reach === 0 || tick >= params.untilTick) return;
    for (const other of context.neighbours) write(sent, other.id, context);
  },
});

const TICKS = ['t1', 't2', 't3', 't4', 't5', 't6', 't7', 't8'] as const;

const read = system({
  name: 'read',
  on: { note: Note },
  writes: { got: Got, ways: Ways },
  each({ note, got, ways: taken }, { from, tick }) {
    if ((got.from[from] ?? 0) + 1 !== note.n) got.faults += 1;
    got.from = { ...got.from, [from]: note.n };
    got.total += 1;
    taken[TICKS[tick - note.tick - 1] ?? 'later'] += 1;
  },
});

const mourn = system({
  name: 'mourn',
  after: ['write-near'],
  on: { lost: Undelivered },
  writes: { sent: Sent },
  each({ sent }) {
    sent.back += 1;
  },
});

const params = { couriers: 1_000, friends: 8 };

export default simulation({
  components: [Position, Heading, Book, Sent, Got, Ways],
  systems: [walk, writeFar, writeNear, read, mourn],
  params,
  seed({ random, spawn, space, params: { couriers, friends } }) {
    const places = Array.from({ length: couriers }, () => ({
      x: random.between(space.originX, space.originX + space.width),
      y: random.between(space.originY, space.originY + space.height),
    }));
    // Everybody's id is known before anybody is there: the number of the cell, and a counter.
    const born = new Map<number, number>();
    const ids = places.map(({ x, y }) => {
      const cell = space.cellAt(x, y);
      const n = (born.get(cell) ?? 0) + 1;
      born.set(cell, n);
      return cell * 2 ** 32 + n;
    });
    const friend = (): number => ids[random.below(ids.length)] ?? 0;
    for (const { x, y } of places) {
      const book = Book({ ids: Array.from({ length: friends }, friend) });
      spawn(Position({ x, y }), Heading({ x: 1, y: 0 }), book, Sent(), Got(), Ways());
    }
  },
});

export type Way = keyof Values<typeof ways>;
