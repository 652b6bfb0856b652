import type { CellLoad, JournalEntry, LoadSample, Plan } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { inForce } from './in-force.ts';

const load = (cell: number, tickMs: number): CellLoad => ({ cell, tickMs, entities: 1 });

function sample(atMs: number, a: CellLoad[], b: CellLoad[], c?: CellLoad[]): LoadSample {
  const pod = (name: string, cells: CellLoad[], state: 'ready' | 'draining' = 'ready') => ({
    ...{ pod: name, state, order: '' as const, cells },
  });
  const draining = c === undefined ? [] : [pod('c', c, 'draining')];
  return { atMs, pods: [pod('a', a), pod('b', b), ...draining] };
}

const decision = (atMs: number, version: number, kind: JournalEntry['kind'], cells: number) => ({
  ...{ id: `${atMs}-0`, atMs, version, kind, cells, cause: '', regions: [] },
  ...{ before: {}, expected: {} },
});

const minute = 60_000;

test('the busiest pod by the mean of all that carry, from the second sample on', () => {
  const samples = [
    sample(0, [load(0, 9)], [load(1, 1)]),
    sample(minute, [load(0, 3)], [load(1, 1)]),
    // A pod that drains counts for as long as it has anything.
    sample(2 * minute, [load(0, 2)], [load(1, 2)], [load(2, 8)]),
    sample(3 * minute, [load(0, 6)], [load(1, 6)], []),
  ];
  const { imbalance } = inForce({ samples, journal: [], plan: undefined, cells: 4 });
  expect(imbalance.mean).toBeCloseTo((1.5 + 2 + 1) / 3);
  expect(imbalance.max).toBeCloseTo(2);
});

test('a cell that two pods report counts for the one that has it now', () => {
  const samples = [sample(0, [], []), sample(minute, [load(0, 1), load(1, 2)], [load(0, 4)])];
  const { imbalance } = inForce({ samples, journal: [], plan: undefined, cells: 2 });
  expect(imbalance.mean).toBeCloseTo(4 / 3);
});

test('cells that changed hands between the first and the last sample, without sleep and the first plan', () => {
  const samples = [sample(0, [], []), sample(2 * minute, [], [])];
  const journal = [
    decision(1, 1, 'split', 100),
    decision(2, 2, 'shift', 30),
    decision(3, 2, 'move', 10),
    decision(4, 3, 'sleep', 500),
    decision(3 * minute, 4, 'move', 700),
  ];
  const plan: Plan = {
    ...{ version: 4, atMs: 0, asleep: [] },
    regions: [1, 2].map((id) => ({
      ...{
        id,
        pod: `pod-${id}`,
        standby: '',
        rect: { column: id - 1, row: 0, columns: 1, rows: 4 },
      },
      edges: [{ side: 'east', region: 3 - id, pod: `pod-${3 - id}`, cells: 4 }],
    })),
  };
  const figures = inForce({ samples, journal, plan, cells: 8 });
  expect(figures).toMatchObject({ cellsMovedPerMinute: 20, decisions: 3, borderLength: 4 });
});
