/**
 * Goal: what is read of a running world is the world at one tick, whole and once (S1). Method: a herd of
 * three layers with crossings, births, deaths, payments and pods that die; cuts are taken of it while it
 * runs, put back beside it, and let come to rest: then all layers agree, and nothing was paid twice or
 * not at all. In lockstep a restored world has the very hash of the one that nobody disturbed.
 */
import {
  censusOf,
  type LayerName,
  NAMES,
  openLayers,
  sumOf,
  type Tables,
} from '@leasehold/pod/layers-fixture';
import type { Store } from '@leasehold/protocol';
import type { CapturedCell } from '@leasehold/snapshot-store';
import { type Capture, type CutWorld, restoreCells, takeCut } from '@leasehold/snapshots';
import { openTwinAdmin, openTwinStore } from '@leasehold/twin-store';
import { describe, expect, test } from 'vitest';

/** Of a cut, when nobody says again that it is being read. */
const PIN_MS = 30_000;

type World = Awaited<ReturnType<typeof openLayers>>;

const of = (tables: Tables, layer: LayerName) => tables.get(layer) ?? [];

const cutWorldOf = (world: World): CutWorld => ({
  world: 'w',
  grid: world.grid,
  clock: world.clock,
  layers: NAMES.map((layer) => ({
    store: world.watchers.get(layer) as Store,
    schema: world.compiled(layer).schema,
    older: () => undefined,
  })),
});

/** Lets time pass while something waits for it. */
async function during<T>({ clock }: World, work: Promise<T>): Promise<T> {
  let isDone = false;
  const end = work.finally(() => {
    isDone = true;
  });
  end.catch(() => undefined);
  while (!isDone) await clock.advance(5);
  return end;
}

/** Of a cell that was behind, what was told last. */
async function allOf(capture: Capture): Promise<CapturedCell[]> {
  const cells = new Map<string, CapturedCell>();
  for await (const cell of capture.cells()) cells.set(`${cell.layer}:${cell.cell}`, cell);
  return [...cells.values()];
}

/** Takes a cut of a world that goes on, and writes it beside it. */
async function takeAndRestore(world: World, tick?: number) {
  const cut = await during(world, takeCut(cutWorldOf(world), tick));
  const { server } = world;
  const at = { world: 'w', incarnation: 2, layers: NAMES };
  const layers = await Promise.all(
    NAMES.map(async (layer) => {
      const admin = openTwinAdmin(server, { ...at, layer });
      await admin.createBlocks();
      const store = openTwinStore(server, { ...at, layer, pod: `restorer-${layer}` });
      return { admin, store, schema: world.compiled(layer).schema, older: () => undefined };
    }),
  );
  const { capture } = cut;
  const cells = await during(world, allOf(capture));
  await during(world, cut.close());
  const isExact = cut.clock.mode === 'lockstep';
  const totals = await restoreCells(layers, { cells, flights: capture.flights(), isExact });
  return { tick: cut.tick, totals };
}

const NAMES_TWICE = NAMES.flatMap((layer) => [
  [layer, `${layer}-0`] as const,
  [layer, `${layer}-1`] as const,
]);

/** Everybody is there once, and what was paid was paid once. Ends the world. */
async function expectWhole(world: World, baseTick: number): Promise<void> {
  const restored = await openLayers({
    ...{ mode: 'realtime', until: 1 },
    restored: { server: world.server, clock: world.clock, baseTick },
  });
  for (const [name, pod] of NAMES_TWICE) await restored.start(name, `r-${pod}`);
  await restored.pass(70);
  const cells = await restored.cells();
  await restored.close();
  await world.close();

  const { ids } = censusOf(of(cells, 'motion'), 0);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(60);
  for (const name of NAMES) expect(censusOf(of(cells, name), 0).ids).toEqual(ids);
  const paid = sumOf(of(cells, 'reproduction'), 'litter', 'paid');
  expect(paid).toBeGreaterThan(20);
  expect(sumOf(of(cells, 'metabolism'), 'purse', 'coins')).toBe(paid);
}

describe('a cut', { timeout: 180_000 }, () => {
  test.each([2])('S1 E1 E2 M1 of a world that runs and is killed (run %i)', async (run) => {
    const world = await openLayers({ mode: 'realtime' });
    for (const [layer, name] of NAMES_TWICE) await world.start(layer, name);
    await world.pass(20 + 7 * run);
    const [layer, victim] = NAMES_TWICE[run % NAMES_TWICE.length] ?? ['motion', 'motion-0'];
    world.kill(victim);
    await world.start(layer, `${victim}-again`);
    await world.pass(3 * run);
    const { tick, totals } = await takeAndRestore(world);
    expect(totals.cells).toBeGreaterThan(30);
    await expectWhole(world, tick);
  });

  test('S1 stays pinned for as long as it is read, and no longer', async () => {
    const world = await openLayers({ mode: 'realtime' });
    const store = world.watchers.get('motion') as Store;
    const cut = await during(world, takeCut(cutWorldOf(world)));
    for (let i = 0; i < 5; i++) {
      await world.clock.advance(PIN_MS);
      expect((await store.clock())?.cutTick).toBe(cut.tick);
    }
    await during(world, cut.close());
    expect(await store.clock()).not.toHaveProperty('cutTick');
    await world.close();
  });

  test('S1 T1 in lockstep a restored world goes the very way of the other', async () => {
    const world = await openLayers({ mode: 'lockstep', until: 110, endTick: 120 });
    for (const [layer, name] of NAMES_TWICE) await world.start(layer, name);
    await world.until(20);
    const { tick } = await takeAndRestore(world, 60);
    expect(tick).toBe(60);
    await world.until(120);
    const undisturbed = await world.cells();
    await world.close();
    const restored = await openLayers({
      ...{ mode: 'lockstep', until: 110, endTick: 120 },
      restored: { server: world.server, clock: world.clock, baseTick: tick },
    });
    for (const [name, pod] of NAMES_TWICE) await restored.start(name, `r-${pod}`);
    await restored.until(120);
    const cells = await restored.cells();
    await restored.close();
    for (const name of NAMES) {
      expect(censusOf(of(cells, name), 120)).toEqual(censusOf(of(undisturbed, name), 120));
    }
  });
});
