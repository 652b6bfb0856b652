import type { Plan, PodRecord, Region } from '@leasehold/protocol';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { podFacts, podLines } from './table.ts';

const MEASURED = { ticks: 10, memoryBytes: 87_600_000, 'systemMs:drift': 25 };

const record = (pod: string, state: PodRecord['state'], pid: number): PodRecord => ({
  ...{ pod, state, pid, layer: 'main', startedAtMs: 0, seenAtMs: 0 },
  report: { cells: 4, entities: 7, ...(pod === 'a' ? MEASURED : {}) },
});

const rect = { column: 0, row: 0, columns: 1, rows: 1 };
const region = (id: number, pod: string, standby: string): Region => ({
  ...{ id, pod, standby, rect, edges: [] },
});
const plan: Plan = {
  ...{ version: 3, atMs: 0, asleep: [] },
  regions: [region(1, 'a', 'b'), region(2, 'b', 'a'), region(3, 'a', '')],
};

const facts = podFacts({
  records: [record('a', 'ready', 11), record('b', 'draining', 12), record('c', 'ready', 13)],
  connected: new Set(['a', 'b']),
  orders: new Map([['b', 'drain']]),
  loads: new Map([
    ['a', [1, 2].map((cell) => ({ cell, tickMs: 5, entities: 1 }))],
    ['c', []],
  ]),
  plan,
  tickBudgetMs: 50,
});

test('a pod is told by what it holds, what it costs, what it was told and what the plan gives it', () => {
  expect(facts).toEqual([
    {
      ...{ pod: 'a', layer: 'main', state: 'ready', order: '', cells: 4, entities: 7, pid: 11 },
      ...{ tickMs: 10, utilization: 0.2, regions: 2, standbys: 1 },
      ...{ memoryBytes: 87_600_000, systemMs: { drift: 2.5 } },
    },
    {
      ...{
        pod: 'b',
        layer: 'main',
        state: 'draining',
        order: 'drain',
        cells: 4,
        entities: 7,
        pid: 12,
      },
      ...{ tickMs: null, utilization: null, regions: 1, standbys: 1 },
      ...{ memoryBytes: null, systemMs: {} },
    },
    {
      ...{ pod: 'c', layer: 'main', state: 'gone', order: '', cells: 4, entities: 7, pid: 13 },
      ...{ tickMs: 0, utilization: 0, regions: 0, standbys: 0 },
      ...{ memoryBytes: null, systemMs: {} },
    },
  ]);
});

test('the table has a line for each, in columns, and colours only where they are wanted', () => {
  expect(podLines(facts, pc.createColors(false))).toEqual([
    '  pod  state     order  cells  entities  tick ms  of budget  regions  standby  memory  pid',
    '  a    ready     -          4         7    10.00       20 %        2        1   88 MB   11',
    '  b    draining  drain      4         7        -          -        1        1       -   12',
    '  c    gone      -          4         7     0.00        0 %        0        0       -   13',
  ]);
  const layered = podLines(facts.slice(0, 1), pc.createColors(false), true);
  expect(layered.map((line) => line.slice(0, 24))).toEqual([
    '  pod  layer  state  ord',
    '  a    main   ready  -  ',
  ]);
  const colours = pc.createColors(true);
  expect(podLines(facts, colours, true)[1]).toContain(colours.green('ready'));
  expect(podLines(facts, colours)[1]).toContain(colours.green('ready'));
  expect(podLines(facts, colours)[2]).toContain(colours.yellow('draining'));
});
