/**
 * Goal: whole models in sequential order do what a reader of their rule expects, whatever runs them.
 * Method: models that push, rob and end each other are replayed bit for bit by a plain program that
 * looks at all pairs; and run in every order of cells, and on several pods.
 */
import { type ChannelEntry, type LogEntry, StateHash } from '@leasehold/protocol';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import { describe, expect, test } from 'vitest';
import hunting, { Fox, Hare } from '../examples/hunt.ts';
import { torus } from './cell-test-bench.ts';
import { type CellState, compile } from './engine.ts';
import { type Simulation, simulation, testWorld } from './index.ts';
import {
  compareWithReplay,
  flocking,
  jostling,
  scattered,
  simulationOf,
} from './sequential-test-bench.ts';

describe('the replay of a sequential model', () => {
  const space: SpaceSpec = { kind: 'torus', width: 100, height: 100, cell: 10 };
  const same = (found: object[], expected: object[]) => expect(found).toEqual(expected);

  test('equals the published flocking rule in place, bit for bit', {
    timeout: 60_000,
  }, async () => {
    const options = { space, count: 200, ticks: 40, seed: 3 };
    const here = await compareWithReplay(flocking(5), options, same);
    expect(here.crossings).toBeGreaterThan(300);
  });

  test('equals it on a torus of one cell, where everybody sees all others as they are now', async () => {
    const options = { space: { ...space, cell: 100 }, count: 150, ticks: 20, seed: 4 };
    const here = await compareWithReplay(flocking(15), options, same);
    expect(here.crossings).toBe(0);
  });

  test.each<[string, SpaceSpec]>([
    ['a torus', { kind: 'torus', width: 40, height: 40, cell: 10 }],
    ['a torus of 3 × 3 cells', { kind: 'torus', width: 30, height: 30, cell: 10 }],
    ['a plane', { kind: 'plane', width: 40, height: 40, cell: 10 }],
  ])('equals one that pushes, robs and ends its neighbours on %s', async (_, spec) => {
    for (const seed of [1, 2, 3]) {
      const options = { space: spec, count: 150, ticks: 15, seed };
      const here = await compareWithReplay(jostling, options, same);
      expect(here.crossings).toBeGreaterThan(50);
      expect(here.deaths).toBeGreaterThan(20);
      expect(here.count).toBeGreaterThan(20);
    }
  });
});

/** Every pod holds a share of the cells and follows the logs of the others. */
async function hashOnPods(declared: Simulation, pods: number, ticks: number): Promise<string> {
  const grid = new Grid(torus);
  const options = { layer: 'main', grid, seed: 1, tickHz: 10, params: {} };
  const cells = Array.from({ length: grid.cells }, (_, cell) => cell);
  const engines = Array.from({ length: pods }, () => compile(declared, options));
  const copies = engines.map((engine) => cells.map((cell) => engine.createCell(cell)));
  const log = (tick: number, body: Uint8Array): LogEntry => ({
    ...{ seq: tick + 1, version: 1, epoch: '1', prevHash: '', hash: '', tick, body },
  });
  for (const [cell, { body }] of (await engines[0]?.seed()) ?? []) {
    for (const pod of copies) pod[cell]?.restore({ cell, entries: [log(0, body)] });
  }
  const outSeqs = cells.map(() => 0);
  let flying: ChannelEntry[] = [];
  for (let tick = 1; tick <= ticks; tick++) {
    const sent: ChannelEntry[] = [];
    for (const cell of cells) {
      const pod = copies[(cell * 7) % pods] as CellState[];
      const { body, out } = (pod[cell] as CellState).step({
        ...{ tick, outSeq: outSeqs[cell] as number },
        arrivals: flying.filter(({ to }) => to === cell),
        view: (near) => pod[near]?.view(tick - 1),
      });
      outSeqs[cell] = (outSeqs[cell] as number) + out.length;
      for (const entry of out) sent.push({ ...entry, from: cell, tick });
      for (const other of copies) if (other !== pod) other[cell]?.apply(log(tick, body));
    }
    flying = sent;
  }
  const hash = new StateHash();
  for (const { table } of copies[0] ?? []) hash.add(table);
  return hash.hex(ticks);
}

describe('T1 a world with sequential systems', () => {
  const entities = scattered(150, torus, 5);
  const declared = simulationOf(jostling);

  test('has one hash whatever the order of cells, another for another seed', async () => {
    const run = async (cellOrder: 'ascending' | 'descending' | number, seed = 1) => {
      const options = { space: torus, entities, cellOrder, seed, verify: true };
      const here = (await testWorld(declared, options)).run(12);
      expect(Math.min(here.crossings, here.deaths)).toBeGreaterThan(20);
      return here.hash();
    };
    const hash = await run('ascending');
    expect(await run('descending')).toBe(hash);
    expect(await run(9)).toBe(hash);
    expect(await run('ascending', 2)).not.toBe(hash);
  });

  test('has one hash whatever the number of pods', async () => {
    const seeded = simulation({
      ...{ components: declared.components, systems: declared.systems },
      seed({ spawn }) {
        for (const values of entities) spawn(...values);
      },
    });
    const hash = await hashOnPods(seeded, 1, 12);
    expect(await hashOnPods(seeded, 2, 12)).toBe(hash);
    expect(await hashOnPods(seeded, 5, 12)).toBe(hash);
  });
});

describe('foxes and hares', () => {
  const space: SpaceSpec = { kind: 'torus', width: 50, height: 50, cell: 10 };
  const sum = (found: readonly { energy: number }[]) =>
    found.reduce((total, { energy }) => total + energy, 0);

  test('lose no energy but what foxes burn: no hare is eaten twice', async () => {
    const here = await testWorld(hunting, { space, verify: true });
    let foxes = here.all(Fox).length;
    let energy = sum(here.all(Fox)) + sum(here.all(Hare));
    for (let tick = 0; tick < 30; tick++) {
      here.run();
      const now = sum(here.all(Fox)) + sum(here.all(Hare));
      expect(now).toBe(energy - foxes);
      energy = now;
      foxes = here.all(Fox).length;
      expect(here.all(Hare).every((hare) => hare.energy > 0)).toBe(true);
    }
    expect(here.all(Hare).length).toBeLessThan(450);
    expect(here.count + here.deaths).toBe(600);
  });
});
