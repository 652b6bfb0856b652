import { describe, expect, test } from 'vitest';
import { PodRows } from './pod-rows.ts';

const pod = (name: string, report: Record<string, number> = {}, isConnected = true) => ({
  pod: name,
  pid: name.charCodeAt(name.length - 1),
  isConnected,
  state: 'ready',
  report,
});
const status = (...pods: readonly ReturnType<typeof pod>[]) => ({ tick: 1, entities: 1, pods });
const held = (pods: readonly string[], ...cells: readonly number[]) => ({
  pods,
  gone: pods.map(() => false),
  cells: Uint16Array.from(cells),
});

describe('the table of pods', () => {
  test('joins what pods report with the cells they hold, by number', () => {
    const rows = new PodRows();
    rows.note(status(pod('pod-10'), pod('pod-9', { entities: 7, tickMsP50: 1.5 })), 0);
    const holders = held(['pod-9', 'pod-10'], 1, 0, 1, 2);
    const table = rows.rows(holders, 0);
    expect(table.map(({ pod, cells }) => [pod, cells])).toEqual([
      ['pod-9', 2],
      ['pod-10', 1],
    ]);
    expect(table[0]).toMatchObject({ entities: 7, tickMsP50: 1.5, state: 'ready', isGone: false });
  });

  test('a dead pod stays while it has cells, then for a moment', () => {
    const rows = new PodRows();
    rows.note(status(pod('pod-1', { entities: 5 })), 0);
    rows.note(status(), 1_000);
    expect(rows.rows(held(['pod-1'], 1), 60_000)).toMatchObject([
      { pod: 'pod-1', isGone: true, state: 'gone', cells: 1, entities: 0 },
    ]);
    expect(rows.rows(held([], 0), 10_000)).toHaveLength(1);
    expect(rows.rows(held([], 0), 20_000)).toEqual([]);
  });

  test('a pod that has never been connected and holds nothing is not shown as gone', () => {
    const rows = new PodRows();
    rows.note(status(pod('pod-1', {}, false)), 0);
    expect(rows.rows(undefined, 0)).toEqual([]);
  });

  test('births and deaths of the dead stay counted; commits are per second and life', () => {
    const rows = new PodRows();
    rows.note(status(pod('pod-1', { births: 4, deaths: 1, commits: 0 })), 0);
    rows.note(status(pod('pod-2', { births: 2, commits: 10 })), 1_000);
    rows.note(status(pod('pod-2', { births: 3, commits: 30 })), 2_000);
    expect([rows.births, rows.deaths]).toEqual([7, 1]);
    expect(rows.rows(undefined, 2_000).at(-1)?.commitsPerS).toBe(20);
  });
});
