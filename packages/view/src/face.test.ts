/**
 * Goal: whatever a client has seen of a cell, and however long ago, one part brings it to what the
 * cell is now. Method: a cell that is written at random, and clients that look at random times.
 */
import { createRandom, type Random } from '@leasehold/kernel';
import {
  encodeCommit,
  encodeRows,
  entryHash,
  layerSchema,
  settle,
  Table,
} from '@leasehold/protocol';
import { CellRows, FrameReader, FrameWriter, PART } from '@leasehold/protocol/view';
import { AreaShape, Grid } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import { Arena } from './arena.ts';
import { Edge } from './edge.ts';
import { Face } from './face.ts';
import { LiveCell, type Others } from './live-cell.ts';
import { chosenOf } from './selection.ts';
import { prepareStencil } from './stencil.ts';

const schema = layerSchema('main', [
  {
    name: 'place',
    version: 1,
    spatial: ['x', 'y'],
    fields: [
      { name: 'x', kind: 'f64', initial: 0, step: 0.01 },
      { name: 'y', kind: 'f64', initial: 0, step: 0.01 },
    ],
  },
  { name: 'tag', version: 1, fields: [{ name: 'text', kind: 'string', initial: '' }] },
]);
const CENTRE = { x: 5, y: 5 };
const spatial = { component: 0, x: 0, y: 1 };
const kit = { schema, older: undefined, spatial, centre: () => CENTRE };
const PLACE = 1;
const BOTH = 3;

/** The one who writes the cell: every commit is random, and real. */
class Author {
  readonly table = new Table(schema);
  #seq = 0;
  #hash = '';
  #id = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Everybody moves by so much; nothing else happens. */
  shift(way: number) {
    const xs = this.table.columns[0]?.[0] as Float64Array;
    for (let row = 0; row < this.table.count; row++) {
      xs[row] = (xs[row] as number) + way;
      this.table.dirty[0]![row]! |= 1;
    }
    return this.#append(new Table(schema), []);
  }

  /** So many newborn come, and everybody who was there dies. */
  replace(count: number) {
    const births = new Table(schema);
    for (let i = 0; i < count; i++) births.append(++this.#id, PLACE);
    return this.#append(births, [...this.table.ids.subarray(0, this.table.count)]);
  }

  commit() {
    const random = this.#random;
    const { table } = this;
    const [xs, ys] = table.columns[0] as [Float64Array, Float64Array];
    for (let row = 0; row < table.count; row++) {
      if (random.chance(0.3)) {
        // Often too little for a step, rarely too much for eight bits.
        const way = random.chance(0.5) ? 0.001 : random.chance(0.1) ? 4 : 0.5;
        xs[row] = (xs[row] as number) + random.between(-way, way);
        table.dirty[0]![row]! |= 1;
        if (random.chance(0.5)) {
          ys[row] = (ys[row] as number) + random.between(-way, way);
          table.dirty[0]![row]! |= 2;
        }
      }
      if (random.chance(0.05)) table.setMask(row, random.chance(0.5) ? PLACE : BOTH);
      if (((table.masks[row] as number) & 2) !== 0 && random.chance(0.1)) {
        (table.columns[1]![0] as string[])[row] = `t${random.below(9)}`;
        table.dirty[1]![row]! |= 1;
      }
    }
    const births = new Table(schema);
    for (let i = random.below(3); i > 0; i--) {
      const row = births.append(++this.#id, random.chance(0.5) ? PLACE : BOTH);
      (births.columns[0]![0] as Float64Array)[row] = random.between(0, 10);
      (births.columns[0]![1] as Float64Array)[row] = random.between(0, 10);
    }
    const deaths = [...table.ids.subarray(0, table.count)].filter(() => random.chance(0.06));
    return this.#append(births, deaths);
  }

  #append(births: Table, deaths: readonly number[]) {
    const parts = { births, deaths, departures: [], arrivals: [], idCounter: this.#id };
    const tick = this.#seq + 1;
    const body = encodeCommit(this.table, { ...parts, tick });
    settle(this.table, { births, deaths, departures: [] });
    const prevHash = this.#hash;
    this.#seq++;
    this.#hash = entryHash(prevHash, this.#seq, '1', tick, body);
    const { seq, hash } = { seq: this.#seq, hash: this.#hash };
    return { seq, version: 1, epoch: '1', prevHash, hash, tick, body };
  }
}

type Client = { readonly rows: CellRows; base: number; readonly every: number };

const others = (isUnderway: boolean | undefined): Others => ({
  isUnderway: () => isUnderway,
  isWaiting: () => false,
});

function tell(face: Face, client: Client): void {
  if (client.base === face.version) return;
  const isState = !face.leadsFrom(client.base);
  const writer = new FrameWriter().begin(0, 0);
  face.tell(writer, client.base);
  const read = new FrameReader(writer.finish()).next();
  expect(read?.kind).toBe(isState ? PART.state : PART.delta);
  if (read?.kind === PART.state) client.rows.applyState(read.body);
  else if (read !== undefined) expect(client.rows.applyDelta(read.body)).toBeDefined();
  client.base = face.version;
}

function expectSame(
  face: Face,
  { rows }: Client,
  table: Table,
  isMember: (row: number) => boolean,
) {
  const members = [...Array(table.count).keys()].filter(isMember);
  expect([...rows.ids.subarray(0, rows.count)]).toEqual(members.map((row) => table.ids[row]));
  for (const [i, row] of members.entries()) {
    for (const f of [0, 1]) {
      const seen = Number(rows.columns[0]?.[f]?.[i]);
      expect(Math.abs(seen - Number(table.columns[0]?.[f]?.[row]))).toBeLessThanOrEqual(0.005001);
    }
    if (face.chosen.shape.components.length > 1) {
      expect(rows.columns[1]?.[0]?.[i]).toBe(table.columns[1]?.[0]?.[row]);
    }
  }
}

/** Two sides of a box in a cell of 10 by 10, and the same as a shape that knows no bounds. */
const grid = new Grid({ kind: 'plane', width: 10, height: 10, cell: 10 }, { blockCells: 1 });
const spec = { kind: 'box', minX: 3, minY: 1, maxX: 9.5, maxY: 6 } as const;
const box = new Edge(new AreaShape(grid, spec), grid, 0);
const inside = (x: number, y: number): boolean => x >= 3 && x <= 9.5 && y >= 1 && y <= 6;
const odd = new Edge({ spec: { kind: 'world' }, contains: inside }, grid, 0);

describe('a face of a cell', () => {
  test.each([
    ['everything', {}, undefined],
    ['one component', { components: ['place'] }, undefined],
    ['those with a tag', { with: ['tag'] }, undefined],
    ['what an edge leaves', {}, box],
    ['what the edge of no box leaves', {}, odd],
    ['tagged ones within an edge', { with: ['tag'] }, box],
  ])('V1 clients of %s are brought up to date from wherever they stand', (_, selection, edge) => {
    let stencils = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const random = createRandom(seed);
      const author = new Author(random);
      const live = new LiveCell(kit, 0);
      live.load({ cell: 0, entries: [author.commit()] }, new Map(), []);
      const chosen = chosenOf(schema, selection);
      const arena = new Arena();
      const face = new Face(live, chosen, edge, arena);
      const clients = [1, 1, 2, 7, 90].map((every): Client => {
        return { rows: new CellRows(chosen.shape, 0, CENTRE.x, CENTRE.y), base: -1, every };
      });
      for (let round = 1; round <= 200; round++) {
        arena.clear();
        // Every other while, everybody moves in every round.
        const isCalm = Math.floor(round / 16) % 2 === 1;
        for (let i = isCalm ? 1 : random.below(3); i > 0; i--) {
          live.apply(isCalm ? author.shift(random.between(-0.4, 0.4)) : author.commit());
        }
        live.publish(round, others(false));
        const before = prepareStencil(arena.stencil, live, chosen, round);
        if (before === face.version) stencils++;
        face.update(round, before);
        for (const client of clients) if (round % client.every === 0) tell(face, client);
      }
      const isMember = (row: number): boolean => {
        const mask = author.table.masks[row] as number;
        const [x, y] = [0, 1].map((f) => Number(author.table.columns[0]?.[f]?.[row]));
        return (
          (mask & chosen.mask) === chosen.mask && (edge === undefined || inside(x ?? 0, y ?? 0))
        );
      };
      for (const client of clients) {
        tell(face, client);
        expectSame(face, client, author.table, isMember);
      }
    }
    expect(stencils).toBeGreaterThan(500);
  });

  /** A cell of three, a face of it, and a client that has seen the first round. */
  function three() {
    const author = new Author(createRandom(1));
    const live = new LiveCell(kit, 0);
    live.load({ cell: 0, entries: [author.replace(3)] }, new Map(), []);
    const face = new Face(live, chosenOf(schema, {}));
    const rows = new CellRows(face.chosen.shape, 0, CENTRE.x, CENTRE.y);
    const client: Client = { rows, base: -1, every: 1 };
    let round = 0;
    const publish = (): void => {
      live.publish(++round, others(false));
      face.update(round);
    };
    publish();
    tell(face, client);
    return { author, live, face, client, publish };
  }

  test('a client that waits over a movement too small to see is told the one before it', () => {
    const { author, live, face, client, publish } = three();
    for (const way of [0.5, 0.001]) {
      live.apply(author.shift(way));
      publish();
    }
    tell(face, client);
    expectSame(face, client, author.table, () => true);
  });

  test('a face that stays the same knows where it stood, however far its cell goes on', () => {
    const { author, live } = three();
    const face = new Face(live, chosenOf(schema, { components: ['tag'] }));
    const clientOf = (): Client => {
      return { rows: new CellRows(face.chosen.shape, 0, CENTRE.x, CENTRE.y), base: -1, every: 1 };
    };
    const [early, late] = [clientOf(), clientOf()];
    let round = 1;
    const publish = (): void => {
      live.publish(++round, others(false));
      face.update(round);
    };
    publish();
    tell(face, early);
    for (let i = 0; i < 200; i++) {
      live.apply(author.shift(0.5));
      publish();
    }
    tell(face, late);
    live.apply(author.replace(2));
    publish();
    for (const client of [early, late]) {
      expect(face.leadsFrom(client.base)).toBe(true);
      tell(face, client);
      expect(client.rows.count).toBe(2);
    }
  });

  test('who left is not remembered for ever: a client too far behind gets the state', () => {
    const { author, live, face, client, publish } = three();
    for (let i = 0; i < 3; i++) {
      live.apply(author.replace(400));
      publish();
    }
    expect(face.leadsFrom(client.base)).toBe(true);
    live.apply(author.replace(400));
    publish();
    expect(face.leadsFrom(client.base)).toBe(false);
  });

  test('clients that stand at the same version get the same bytes, encoded once', () => {
    const author = new Author(createRandom(1));
    const live = new LiveCell(kit, 0);
    live.load({ cell: 0, entries: [author.commit(), author.commit()] }, new Map(), []);
    const face = new Face(live, chosenOf(schema, {}));
    live.publish(1, others(false));
    face.update(1);
    const [first, second] = [new FrameWriter().begin(0, 0), new FrameWriter().begin(0, 0)];
    face.tell(first, -1);
    // What was encoded first is what everybody gets: bytes are made once a version.
    for (const q of live.rows.q[0] ?? []) q?.fill(77);
    face.tell(second, -1);
    expect(second.finish()).toEqual(first.finish());
  });

  test('a cell that was read anew leads nowhere from before: everybody gets the state', () => {
    const author = new Author(createRandom(1));
    const entries = [author.commit(), author.commit()];
    const live = new LiveCell(kit, 0);
    const face = new Face(live, chosenOf(schema, {}));
    for (const round of [1, 2]) {
      live.load({ cell: 0, entries }, new Map(), []);
      live.publish(round, others(false));
      face.update(round);
    }
    expect(face.leadsFrom(1)).toBe(false);
  });

  test('a client that comes back with the same rows at the same position is told nothing', () => {
    const author = new Author(createRandom(3));
    const live = new LiveCell(kit, 0);
    live.load({ cell: 0, entries: [author.commit(), author.commit()] }, new Map(), []);
    const face = new Face(live, chosenOf(schema, {}));
    live.publish(1, others(false));
    face.update(1);
    expect(face.versionAt(live.seq, live.hash32, face.count)).toBe(face.version);
    expect(face.versionAt(live.seq, live.hash32, face.count + 1)).toBe(-1);
    expect(face.versionAt(live.seq, live.hash32 ^ 1, face.count)).toBe(-1);
    expect(face.versionAt(live.seq - 1, live.hash32, face.count)).toBe(-1);
  });

  test('E1 who left to a cell that nobody follows is seen once somebody does', () => {
    const author = new Author(createRandom(1));
    const live = new LiveCell(kit, 0);
    const gone = new Table(schema);
    gone.append(99, PLACE);
    const sent = { seq: 1, from: 0, to: 1, tick: 1, body: encodeRows(gone, 1) };
    live.load({ cell: 0, entries: [author.replace(3)] }, new Map(), [sent]);
    const face = new Face(live, chosenOf(schema, {}));
    let round = 0;
    const seen = (isUnderway: boolean | undefined): number => {
      live.publish(++round, others(isUnderway));
      face.update(round);
      return face.count;
    };
    for (let i = 0; i < 100; i++) {
      live.apply(author.shift(0.5));
      expect(seen(undefined)).toBe(3);
    }
    expect(seen(true)).toBe(4);
    expect(seen(false)).toBe(3);
  });
});
