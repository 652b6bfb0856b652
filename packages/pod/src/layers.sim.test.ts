/** Worlds of three layers, each with pods of its own, that die. */
import { describe, expect, test } from 'vitest';
import { censusOf, type LayerName, NAMES, openLayers, sumOf } from './layers-fixture.ts';

const of = <T>(map: ReadonlyMap<LayerName, T>, layer: LayerName): T => map.get(layer) as T;

async function lockstep(podsPerLayer: number, kills: readonly string[] = []) {
  const world = await openLayers({ mode: 'lockstep', until: 90, endTick: 100 });
  for (const layer of NAMES) {
    for (let i = 0; i < podsPerLayer; i++) await world.start(layer, `${layer}-${i}`);
  }
  for (const [i, name] of kills.entries()) {
    await world.until(15 * (i + 1));
    world.kill(name);
    await world.start(name.split('-')[0] as LayerName, `${name}-again`);
  }
  await world.until(100);
  const cells = await world.cells();
  await world.close();
  return cells;
}

describe('layers in lockstep', { timeout: 180_000 }, () => {
  test('T1 E1 E2 M1 the same on one pod a layer and on three, with kills', async () => {
    const alone = await lockstep(1);
    const census = new Map(NAMES.map((layer) => [layer, censusOf(of(alone, layer), 100)]));
    const { ids } = of(census, 'motion');
    expect(ids.length).toBeGreaterThan(60);
    for (const layer of NAMES) expect(of(census, layer).ids).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    const paid = sumOf(of(alone, 'reproduction'), 'litter', 'paid');
    expect(paid).toBeGreaterThan(20);
    expect(sumOf(of(alone, 'metabolism'), 'purse', 'coins')).toBe(paid);
    const borne = sumOf(of(alone, 'reproduction'), 'litter', 'borne');
    expect(borne).toBeGreaterThan(10);

    const many = await lockstep(3, ['motion-0', 'metabolism-1', 'reproduction-2', 'motion-1']);
    for (const layer of NAMES) {
      expect(censusOf(of(many, layer), 100).hash).toBe(of(census, layer).hash);
    }
  });
});

describe('layers in realtime', { timeout: 180_000 }, () => {
  test('E1 E2 M1 every entity is in each of them, once, and so is what it was paid', async () => {
    const world = await openLayers({ mode: 'realtime', until: 120 });
    for (const layer of NAMES) {
      for (let i = 0; i < 2; i++) await world.start(layer, `${layer}-${i}`);
    }
    await world.pass(20);
    for (const name of ['motion-0', 'reproduction-0', 'metabolism-1', 'motion-1']) {
      world.kill(name);
      await world.start(name.split('-')[0] as LayerName, `${name}-again`);
      await world.pass(25);
    }
    await world.pass(120);
    const cells = await world.cells();
    await world.close();
    const { ids } = censusOf(of(cells, 'motion'), 420);
    expect(ids.length).toBeGreaterThan(60);
    for (const layer of NAMES) expect(censusOf(of(cells, layer), 420).ids).toEqual(ids);
    const paid = sumOf(of(cells, 'reproduction'), 'litter', 'paid');
    expect(paid).toBeGreaterThan(20);
    expect(sumOf(of(cells, 'metabolism'), 'purse', 'coins')).toBe(paid);
  });
});
