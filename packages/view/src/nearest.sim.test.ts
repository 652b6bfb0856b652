/**
 * Goal: the answer is that of looking at everybody, however much the index knows.
 * Method: random entities held by random cells that may hold them; an index that lacks some, has
 * old positions of others and names some that are gone; all compared with a walk over all rows.
 */
import { createRandom, type Random } from '@leasehold/kernel';
import { entryHash, type Store } from '@leasehold/protocol';
import { cellDistanceMin, Grid, type SpaceSpec, toGeo } from '@leasehold/spatial';
import { openTwinAdmin, openTwinStore, twinServer } from '@leasehold/twin-store';
import { describe, expect, test } from 'vitest';
import {
  type CellPositions,
  CellsOutward,
  NEAREST_CELLS_MAX,
  NEAREST_COUNT_MAX,
  type NearestQuery,
  nearest,
} from './nearest.ts';

const seeds = process.env['SIM_SEED'] ? [Number(process.env['SIM_SEED'])] : [1, 7, 42];

const spaces: SpaceSpec[] = [
  { kind: 'plane', width: 950, height: 700, cell: 100 },
  { kind: 'torus', width: 1000, height: 300, cell: 100 },
  { kind: 'wgs84', cell: 20 },
];

type Entity = {
  readonly id: number;
  readonly cell: number;
  readonly x: number;
  readonly y: number;
};

/** How much the index knows: of entities that are there, and in old places. */
type Knowledge = { readonly known: number; readonly old: number; readonly gone: number };

const KNOWLEDGE: Record<string, Knowledge> = {
  'knows everybody': { known: 1, old: 0, gone: 0 },
  'knows nobody': { known: 0, old: 0, gone: 0 },
  'is late, incomplete and names some that are gone': { known: 0.6, old: 0.5, gone: 0.3 },
};

class World {
  readonly grid: Grid;
  readonly entities: Entity[] = [];
  asked: number[] = [];
  #store: Store | undefined;

  constructor(spec: SpaceSpec) {
    this.grid = new Grid(spec);
  }

  /** Entities anywhere, held by any cell that may hold them; few cells hold many of them. */
  fill(random: Random, count: number): this {
    const { grid } = this;
    const corner = grid.cellAt(...this.place(random));
    for (let id = 1; id <= count; id++) {
      const [x, y] = random.chance(1 / 3)
        ? [grid.centreX(corner) + random.float() * grid.cellSize, grid.centreY(corner)]
        : this.place(random);
      const holders = [grid.cellAt(x, y), ...grid.neighbours(grid.cellAt(x, y))];
      const cells = holders.filter((cell) => grid.nextCell(cell, x, y) === cell);
      this.entities.push({ id, cell: cells[random.below(cells.length)] as number, x, y });
    }
    return this;
  }

  /** Also a little outside the space, and on the borders of cells. */
  place(random: Random): [number, number] {
    const { grid } = this;
    const along = (): number =>
      random.chance(1 / 6) ? random.below(21) / 20 : random.float() * 1.1 - 0.05;
    return [grid.originX + along() * grid.width, grid.originY + along() * grid.height];
  }

  async open(random: Random, { known, old, gone }: Knowledge): Promise<this> {
    const { grid } = this;
    const server = twinServer({ grid });
    const at = { world: 'near', incarnation: 1, layer: 'main' };
    await openTwinAdmin(server, at).createBlocks();
    const store = openTwinStore(server, at);
    this.#store = store;
    const puts = new Map<number, { id: number; longitude: number; latitude: number }[]>();
    const put = (cell: number, id: number, x: number, y: number): void => {
      const point: [number, number] = [0, 0];
      if (!toGeo(grid, cell, x, y, point)) return;
      const list = puts.get(cell) ?? [];
      if (list.length < 256) list.push({ id, longitude: point[0], latitude: point[1] });
      puts.set(cell, list);
    };
    for (const { id, cell, x, y } of this.entities) {
      if (random.float() >= known) continue;
      const drift = random.float() < old ? (random.float() - 0.5) * grid.cellSize : 0;
      put(cell, id, grid.wrapX(x + drift), grid.wrapY(y - drift));
    }
    for (let i = 0; i < this.entities.length * gone; i++) {
      const [x, y] = this.place(random);
      put(grid.cellAt(x, y), 1_000_000 + i, grid.wrapX(x), grid.wrapY(y));
    }
    for (const [cell, list] of puts) await index(store, cell, list);
    return this;
  }

  ask(query: NearestQuery) {
    const store = this.#store;
    if (store === undefined) throw new Error('the world is not open');
    this.asked = [];
    const rowsOf = async (cells: readonly number[]): Promise<CellPositions[]> => {
      this.asked.push(...cells);
      return cells.map((cell) => {
        const rows = this.entities.filter((entity) => entity.cell === cell);
        return {
          cell,
          count: rows.length,
          ids: [...rows.map(({ id }) => id), Number.NaN],
          xs: [...rows.map(({ x }) => x), query.x],
          ys: [...rows.map(({ y }) => y), query.y],
        };
      });
    };
    return nearest({ store, grid: this.grid, rowsOf }, query);
  }

  /** The same by looking at everybody. */
  expected({ x, y, count, radius = Number.POSITIVE_INFINITY }: NearestQuery) {
    const { grid } = this;
    return this.entities
      .map((entity) => ({
        ...entity,
        distance: grid.distance(
          grid.wrapX(x),
          grid.wrapY(y),
          grid.wrapX(entity.x),
          grid.wrapY(entity.y),
        ),
      }))
      .filter(({ distance }) => distance <= radius)
      .sort((a, b) => a.distance - b.distance || a.id - b.id)
      .slice(0, count);
  }
}

async function index(
  store: Store,
  cell: number,
  put: readonly { id: number; longitude: number; latitude: number }[],
): Promise<void> {
  const [granted] = await store.acquire([{ cell, nonce: `a.${cell}`, ttlMs: 60_000 }]);
  if (granted?.tag !== 'GRANTED') throw new Error(`not granted: ${JSON.stringify(granted)}`);
  const { claim } = granted;
  const body = new Uint8Array(1);
  const hash = entryHash('', 1, claim.epoch, 1, body);
  const commit = { claim, seq: 1, prevHash: '', hash, tick: 1, body, idCounter: 0 };
  const rest = { ttlMs: 60_000, cursors: [], out: [], geo: { put, drop: [] } };
  expect(await store.commit([{ ...commit, ...rest }])).toMatchObject([{ tag: 'OK' }]);
}

describe.each(Object.entries(KNOWLEDGE))('where the index %s', (_, knowledge) => {
  const cases = spaces.flatMap((spec) => seeds.map((seed) => [spec.kind, seed, spec] as const));

  test.each(cases)(
    'the nearest on a %s are exactly those (SIM_SEED=%i)',
    async (_kind, seed, spec) => {
      const random = createRandom(seed);
      for (const size of [0, 3, 60, 700]) {
        const world = await new World(spec).fill(random, size).open(random, knowledge);
        for (let i = 0; i < 25; i++) {
          const [x, y] = world.place(random);
          const count = 1 + random.below(random.chance(1 / 5) ? NEAREST_COUNT_MAX : 12);
          const far = (spec.kind === 'wgs84' ? 111_000 : 1) * world.grid.cellSize * 3;
          const query = {
            x,
            y,
            count,
            ...(random.chance(1 / 2) && { radius: random.float() * far + 1 }),
          };
          expect(await world.ask(query), `${size}: ${JSON.stringify(query)}`).toEqual(
            world.expected(query),
          );
          expect(new Set(world.asked).size).toBe(world.asked.length);
        }
      }
    },
  );
});

test.each(spaces)('cells come nearest first, and every cell comes once, on a $kind', (spec) => {
  const grid = new Grid(spec);
  const random = createRandom(5);
  for (let i = 0; i < 60; i++) {
    const y = grid.originY + (i % 3 === 0 ? random.below(2) : random.float()) * grid.height;
    const x = grid.wrapX(grid.originX + random.float() * grid.width);
    const order = new CellsOutward(grid, x, y);
    const taken: number[] = [];
    while (order.hasMore) taken.push(order.take());
    expect(new Set(taken).size).toBe(grid.cells);
    const distances = taken.map((cell) => cellDistanceMin(grid, cell, x, y));
    // Equal but for the rounding of metres.
    for (let j = 1; j < distances.length; j++) {
      expect((distances[j - 1] ?? 0) - (distances[j] ?? 0)).toBeLessThan(1e-6);
    }
  }
});

describe('what it costs', () => {
  const open = (knowledge: Knowledge) => {
    const random = createRandom(3);
    const spec: SpaceSpec = { kind: 'plane', width: 3000, height: 3000, cell: 100 };
    return new World(spec).fill(random, 900).open(random, knowledge);
  };
  const everybody = { known: 1, old: 0, gone: 0 };

  test('an index that knows saves rows: few cells beyond those of the answer are taken', async () => {
    const world = await open(everybody);
    const query = { x: 1500, y: 1500, count: 5 };
    expect(await world.ask(query)).toEqual(world.expected(query));
    const worst = world.expected(query).at(-1)?.distance ?? 0;
    const within = Array.from({ length: world.grid.cells }, (_, cell) => cell).filter(
      (cell) => cellDistanceMin(world.grid, cell, 1500, 1500) <= worst + 1,
    );
    expect(world.asked.length).toBeLessThanOrEqual(within.length);
  });

  test(`more than ${NEAREST_CELLS_MAX} cells are LIMIT_EXCEEDED, unless a radius ends it`, async () => {
    const world = await open(everybody);
    world.entities.splice(3);
    await expect(world.ask({ x: 0, y: 0, count: 4 })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      detail: { field: 'cells', value: String(NEAREST_CELLS_MAX) },
    });
    expect(world.asked.length).toBe(NEAREST_CELLS_MAX);
    expect(await world.ask({ x: 0, y: 0, count: 4, radius: 500 })).toEqual(
      world.expected({ x: 0, y: 0, count: 4, radius: 500 }),
    );
  });

  test('an entity that two cells show is answered once, where it is nearer', async () => {
    const world = await open({ known: 0, old: 0, gone: 0 });
    world.entities.splice(0);
    world.entities.push({ id: 1, cell: 0, x: 50, y: 50 }, { id: 1, cell: 1, x: 102, y: 50 });
    world.entities.push({ id: 2, cell: 1, x: 140, y: 50 });
    const found = await world.ask({ x: 150, y: 50, count: 3, radius: 200 });
    expect(found.map(({ id, cell }) => [id, cell])).toEqual([
      [2, 1],
      [1, 1],
    ]);
  });

  test.each([
    [{ count: 0 }, 'LIMIT_EXCEEDED', 'count'],
    [{ count: NEAREST_COUNT_MAX + 1 }, 'LIMIT_EXCEEDED', 'count'],
    [{ count: 1.5 }, 'LIMIT_EXCEEDED', 'count'],
    [{ x: Number.NaN }, 'AREA_INVALID', 'x'],
    [{ y: Number.POSITIVE_INFINITY }, 'AREA_INVALID', 'y'],
    [{ radius: 0 }, 'AREA_INVALID', 'radius'],
    [{ radius: Number.NaN }, 'AREA_INVALID', 'radius'],
  ])('%o is refused, naming the field', async (wrong, code, field) => {
    const world = await open({ known: 0, old: 0, gone: 0 });
    const query = { x: 1, y: 1, count: 1, ...wrong };
    await expect(world.ask(query)).rejects.toMatchObject({ code, detail: { field } });
    expect(world.asked).toEqual([]);
  });
});
