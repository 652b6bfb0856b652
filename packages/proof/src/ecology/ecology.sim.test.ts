/**
 * Goal: in a world of three layers, whose meals, births and deaths each concern several of them, each
 * takes effect once, whoever dies meanwhile. Method: the ledgers of `examples/ecology`, counted from
 * the store alone when nothing is under way.
 */
import { join } from 'node:path';
import {
  censusOf,
  type LayerName,
  NAMES,
  openLayers,
  sumOf,
  type Tables,
} from '@leasehold/pod/layers-fixture';
import { loadWorld } from '@leasehold/world';
import { expect, test } from 'vitest';

const { simulation, manifest } = await loadWorld(
  join(import.meta.dirname, '../../../../examples/ecology'),
);

const UNTIL = 120;
/** When what was under way has taken effect, and who was dying is gone. */
const REST = UNTIL + 40;
const SEEDED = 20 ** 2 + 120 + 40;
/** A life in a few seconds. */
const world = {
  ...{ simulation, layers: manifest.layers },
  space: { kind: 'torus', width: 80, height: 80, cell: 16 },
  params: {
    ...{ tufts: 20, sheep: 120, wolves: 40, untilTick: UNTIL, regrowthS: 4, sight: 5 },
    ...{ sheepHungerPerS: 24, wolfHungerPerS: 48, sheepBirthsPerS: 0.6, wolfBirthsPerS: 0.6 },
  },
} as const;

async function open(mode: 'lockstep' | 'realtime', podsPerLayer: number) {
  const layers = await openLayers({ mode, world, ...(mode === 'lockstep' && { endTick: REST }) });
  for (const layer of NAMES) {
    for (let i = 0; i < podsPerLayer; i++) await layers.start(layer, `${layer}-${i}`);
  }
  const replace = async (name: string): Promise<void> => {
    layers.kill(name);
    await layers.start(name.split('-')[0] as LayerName, `${name}-again`);
  };
  return { layers, replace };
}

/** Ledgers are of one world at rest: nobody who died or ate is forgotten, or counted twice. */
function balance(cells: Tables) {
  const [motion, ...others] = NAMES.map((layer) => censusOf(cells.get(layer) ?? [], REST).ids);
  const metabolism = cells.get('metabolism') ?? [];
  const sum = (field: string): number => sumOf(metabolism, 'ledger', field);
  for (const ids of others) expect(ids).toEqual(motion);
  const { length: alive } = motion as number[];
  expect(new Set(motion).size).toBe(alive);
  const [asked, fed, missed, back] = [sum('asked'), sum('fed'), sum('missed'), sum('back')];
  const [given, births, deaths] = [sum('given'), sum('births'), sum('deaths')];
  // E2
  expect(alive).toBe(SEEDED + births - deaths);
  // M1: who was fed, and who fed somebody, count by themselves.
  expect(fed).toBe(given);
  expect(fed + missed + back).toBe(asked);
  return { alive, fed, missed, back, births, deaths };
}

async function lockstep(podsPerLayer: number, kills: readonly string[] = []) {
  const { layers, replace } = await open('lockstep', podsPerLayer);
  for (const [i, name] of kills.entries()) {
    await layers.until(25 * (i + 1));
    await replace(name);
  }
  await layers.until(REST);
  const cells = await layers.cells();
  await layers.close();
  const hashes = NAMES.map((layer) => censusOf(cells.get(layer) ?? [], REST).hash);
  return { hashes, ...balance(cells) };
}

test('T1 E2 M1 lives are the same on one pod a layer and on two, some of them killed', {
  timeout: 180_000,
}, async () => {
  const alone = await lockstep(1);
  const { births, deaths, fed, missed, back } = alone;
  expect(births).toBeGreaterThan(50);
  expect(deaths).toBeGreaterThan(50);
  expect(fed).toBeGreaterThan(300);
  expect(missed).toBeGreaterThan(5);
  expect(back).toBe(0);
  expect(await lockstep(2, ['motion-0', 'metabolism-1', 'reproduction-0'])).toEqual(alone);
});

test('E1 E2 M1 in realtime nobody is fed or born twice while pods of each layer are killed', {
  timeout: 180_000,
}, async () => {
  const { layers, replace } = await open('realtime', 2);
  for (const name of ['motion-0', 'metabolism-1', 'reproduction-0']) {
    await layers.pass(30);
    await replace(name);
  }
  await layers.pass(REST);
  const cells = await layers.cells();
  await layers.close();
  const { births, deaths, fed } = balance(cells);
  expect(births).toBeGreaterThan(30);
  expect(deaths).toBeGreaterThan(30);
  expect(fed).toBeGreaterThan(200);
});
