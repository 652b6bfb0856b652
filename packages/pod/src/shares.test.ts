import type { Plan, Region } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { expect, test } from 'vitest';
import { assignBlocks } from './assignment.ts';
import { Shares } from './shares.ts';

const grid = new Grid(
  { kind: 'torus', width: 80, height: 80, cell: 10 },
  { blockCells: 2, margin: 0.02 },
);
const CELLS = [...Array(grid.cells).keys()];
const PODS = ['a', 'b', 'c'];

/** Two halves: the west to `a` with `b` behind it, the east to `b` with `c`. */
function halves(version: number, asleep: Plan['asleep'] = []): Plan {
  const of = (id: number, column: number, pod: string, standby: string): Region => ({
    ...{ id, pod, standby, edges: [] },
    rect: { column, row: 0, columns: 4, rows: 8 },
  });
  return { version, atMs: 0, asleep, regions: [of(1, 0, 'a', 'b'), of(2, 4, 'b', 'c')] };
}

function shares(self: string, plan: Plan | undefined, here: readonly string[]): Shares {
  const made = new Shares(grid, self);
  made.update(plan, { members: here, isHere: (pod) => here.includes(pod) });
  return made;
}

const isWest = (cell: number): boolean => grid.columnOf(cell) < 4;

test('without a plan pods share blocks, and every cell is one of exactly one pod', () => {
  const owners = assignBlocks(grid.blocks, PODS);
  const own = PODS.flatMap((pod) => shares(pod, undefined, PODS).own);
  expect([...own].sort((a, b) => a - b)).toEqual(CELLS);
  const { own: mine } = shares('a', undefined, PODS);
  expect(mine.every((cell) => owners[grid.blockOf(cell)] === 'a')).toBe(true);
});

test('a plan is followed while those whom it names are here', () => {
  expect(shares('a', halves(1), PODS).own).toEqual(CELLS.filter(isWest));
  expect(shares('c', halves(1), PODS).own).toEqual([]);
  const { ownerOf } = bound(shares('c', halves(1), PODS));
  expect(CELLS.map(ownerOf)).toEqual(CELLS.map((cell) => (isWest(cell) ? 'a' : 'b')));
});

const bound = (made: Shares) => ({ ownerOf: (cell: number) => made.ownerOf(cell) });

test('a standby has its region behind it, and holds it when the pod of the region is gone', () => {
  expect(shares('b', halves(1), PODS).inherited).toEqual(CELLS.filter(isWest));
  expect(shares('a', halves(1), PODS).inherited).toEqual([]);
  expect(shares('b', halves(1), ['b', 'c']).own).toEqual(CELLS);
});

test('what has just fallen to a pod is followed until it is held', () => {
  const made = shares('b', halves(1), PODS);
  made.update(halves(1), { members: ['b', 'c'], isHere: (pod) => pod !== 'a' });
  expect(made.inherited).toEqual(expect.arrayContaining(CELLS.filter(isWest)));
});

test('when nobody whom the plan names is here, the others share the region', () => {
  const rest = ['c', 'd'];
  const own = rest.flatMap((pod) => shares(pod, halves(1), rest).own);
  expect([...own].sort((a, b) => a - b)).toEqual(CELLS);
  expect(shares('d', halves(1), rest).own.every(isWest)).toBe(true);
});

test('a pod that leaves knows who has its cells then', () => {
  const made = shares('b', halves(1), PODS);
  const ownerOf = made.heirs(['a', 'c']);
  expect(CELLS.filter((cell) => !isWest(cell)).map(ownerOf)).toEqual(Array(32).fill('c'));
});

test('nobody is to hold a cell that sleeps, and it is held again when it wakes', () => {
  const made = shares('a', halves(1, [[1, 2]]), PODS);
  expect(made.ownerOf(1)).toBe('');
  expect(made.own).toEqual(CELLS.filter((cell) => isWest(cell) && cell !== 1 && cell !== 2));
  made.update(halves(2), { members: PODS, isHere: (pod) => PODS.includes(pod) });
  expect(made.own).toEqual(CELLS.filter(isWest));
});

test('a cell that comes here has slept if nobody was to hold it since this pod had it', () => {
  const made = shares('a', halves(1, [[1, 2]]), PODS);
  const company = { members: PODS, isHere: (pod: string) => PODS.includes(pod) };
  expect([made.wakes(0), made.wakes(1), made.wakes(1)]).toEqual([false, true, true]);
  made.update(halves(2), company);
  made.update(halves(3), company);
  expect([made.wakes(1), made.wakes(1), made.wakes(2)]).toEqual([true, false, true]);
});

test('nothing is computed anew when nothing has changed', () => {
  const plan = halves(1);
  const made = shares('a', plan, PODS);
  const { own } = made;
  expect(made.update(plan, { members: PODS, isHere: () => true })).toBe(false);
  expect(made.own).toBe(own);
});
