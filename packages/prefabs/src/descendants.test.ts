/** Who descends from prefabs, with what every layer of the world has of them. No server is needed. */
import { type CellImage, SEED_EPOCH } from '@leasehold/protocol';
import { component, f64, i32, simulation, system } from '@leasehold/sdk';
import { compile } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import { expect, test } from 'vitest';
import { Prefab } from './component.ts';
import { findDescendants } from './descendants.ts';

const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Wool = component('wool', 1, { grams: i32 });
const sheep = simulation({
  components: [Place, Wool, Prefab],
  systems: [system({ name: 'grow', reads: { place: Place }, writes: { wool: Wool }, each() {} })],
  seed({ spawn }) {
    for (let i = 0; i < 6; i++) {
      const name = i % 2 === 0 ? 'sheep' : 'wolf';
      spawn(Place({ x: i * 10, y: 5 }), Prefab({ name, version: 'v' }), Wool({ grams: i }));
    }
  },
});
const layers = { ways: ['place', 'prefab'], coats: ['wool'] };
const grid = new Grid({ kind: 'torus', width: 100, height: 100, cell: 25 });

/** A layer as it was seeded; `isLate`: it does not have them yet. */
async function layerOf(layer: keyof typeof layers, isLate = false) {
  const options = { layer, layers, grid, seed: 1, tickHz: 20, params: {} };
  const engine = compile(sheep, options);
  const seeds = await engine.seed();
  const load = async (cells: readonly { readonly cell: number }[]): Promise<CellImage[]> =>
    cells.map(({ cell }) => {
      const seed = isLate ? undefined : seeds.get(cell);
      if (seed === undefined) return { cell, entries: [] };
      const { body } = seed;
      const entry = { seq: 1, hash: '', epoch: SEED_EPOCH, tick: 0, body };
      return { cell, entries: [entry] as never };
    });
  return { store: { load }, schema: engine.schema, schemaOf: () => undefined };
}

test('a descendant has the components of all layers', async () => {
  const others = [await layerOf('coats')];
  const found = await findDescendants({
    ...(await layerOf('ways')),
    others,
    grid,
    of: new Set(['sheep']),
  });
  const told = found.map(({ components: { place, wool } }) => [place?.['x'], wool?.['grams']]);
  expect(told.sort()).toEqual([
    [0, 0],
    [20, 2],
    [40, 4],
  ]);
});

test('whom a layer does not have at that moment is left to the next look', async () => {
  const others = [await layerOf('coats', true)];
  const of = new Set(['sheep']);
  expect(await findDescendants({ ...(await layerOf('ways')), others, grid, of })).toEqual([]);
  expect(await findDescendants({ ...(await layerOf('ways')), grid, of })).toHaveLength(3);
});
