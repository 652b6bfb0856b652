import { describe, expect, test } from 'vitest';
import { Feed } from './feed.ts';

const taken = (pod: string, atMs: number, facts: Record<string, string | number> = {}) => ({
  kind: 'takeover',
  pod,
  atMs,
  facts: { cause: 'revoked', from: 'pod-2', cells: 100, gapMs: 200, gapTicks: 2, ...facts },
});
const textsOf = (feed: Feed): string[] => feed.lines.map(({ text }) => text);

describe('takeovers', () => {
  test('entries of one death are one line: cells add up, the longest gap counts', () => {
    const feed = new Feed();
    feed.add([taken('pod-3', 1_000), taken('pod-1', 1_030, { cells: 112, gapMs: 1_231 })]);
    feed.add([taken('pod-3', 1_900, { cells: 1 })]);
    feed.seeLiving(new Set(['pod-1', 'pod-3']));
    expect(textsOf(feed)).toEqual([
      'pod-2 died: 213 cells taken by pod-1 and pod-3 in 1,231 ms, 2 ticks',
    ]);
    expect(feed.lines[0]?.tone).toBe('death');
  });

  test('a line keeps its key while it grows, so that it is not read out as new', () => {
    const feed = new Feed();
    feed.add([taken('pod-1', 0)]);
    const { key } = feed.lines[0]!;
    feed.add([taken('pod-1', 100)]);
    expect(feed.lines[0]?.key).toBe(key);
  });

  test('another pod, another cause or a later time is another line, newest first', () => {
    const feed = new Feed();
    feed.add([taken('pod-1', 0), taken('pod-1', 10, { from: 'pod-4' })]);
    feed.add([taken('pod-1', 20, { cause: 'handover', cells: 1, gapTicks: 1 })]);
    feed.add([taken('pod-1', 60_000, { cause: 'released' })]);
    feed.seeLiving(new Set(['pod-1']));
    expect(textsOf(feed)).toEqual([
      'pod-2 left 100 cells, taken by pod-1 in 200 ms, 2 ticks',
      'pod-2 handed 1 cell to pod-1 in 200 ms, 1 tick',
      'pod-4 died: 100 cells taken by pod-1 in 200 ms, 2 ticks',
      'pod-2 died: 100 cells taken by pod-1 in 200 ms, 2 ticks',
    ]);
  });
});

test('a pod that was only too busy to renew its leases has not died', () => {
  const feed = new Feed();
  feed.add([taken('pod-1', 0), taken('pod-5', 0, { from: 'pod-5', cells: 9 })]);
  feed.seeLiving(new Set(['pod-1', 'pod-2', 'pod-5']));
  expect(textsOf(feed)).toEqual([
    'pod-5 let go of 9 cells and took them again after 200 ms, 2 ticks',
    'pod-2 was silent: 100 cells taken by pod-1 after 200 ms, 2 ticks',
  ]);
  feed.seeLiving(new Set(['pod-1', 'pod-5']));
  feed.seeLiving(new Set(['pod-1', 'pod-2', 'pod-5']));
  expect(textsOf(feed)[1]).toContain('pod-2 died');
});

describe('the auditor', () => {
  const word = (facts: Record<string, string | number>) => ({
    kind: 'audit',
    pod: '',
    atMs: 0,
    facts,
  });

  test('says that nothing is lost, and each word is a line of its own', () => {
    const feed = new Feed();
    feed.add([word({ entities: 8757, lost: 0 }), word({ entities: 8760, lost: 0 })]);
    expect(textsOf(feed)).toEqual([
      'auditor: nothing lost, 8,760 entities',
      'auditor: nothing lost, 8,757 entities',
    ]);
    expect(feed.lines[0]?.tone).toBe('good');
  });

  test.each([
    [{ lost: 3 }, '3 lost'],
    [{ duplicated: 1 }, '1 duplicated'],
    [{ lost: 1, violations: 2 }, '1 lost and 2 rules violated'],
  ])('is red for %j', (facts, text) => {
    const feed = new Feed();
    feed.add([word({ entities: 5, lost: 0, duplicated: 0, violations: 0, ...facts })]);
    expect(feed.lines[0]).toMatchObject({ tone: 'bad', text: `auditor: ${text}, 5 entities` });
  });
});

test('jumps and freezes are told together', () => {
  const feed = new Feed();
  const jump = (cell: number, jumped: number) => ({
    kind: 'jump',
    pod: 'pod-1',
    atMs: 5,
    facts: { cell, jumped, tick: 9 },
  });
  feed.add([jump(1, 2), jump(2, 4), { ...jump(2, 1), pod: 'pod-2', atMs: 20_000 }]);
  feed.add([{ kind: 'frozen', pod: 'pod-1', atMs: 5, facts: { cell: 7, why: 'out of memory' } }]);
  expect(textsOf(feed)).toEqual([
    'pod-1 froze cell 7: out of memory',
    'pod-1 and pod-2 fell behind: 2 cells jumped up to 4 ticks',
  ]);
});

test('a cell that is too much for a pod is told with its cost, and how fast time runs there', () => {
  const feed = new Feed();
  const hot = { region: 3, cell: 28, tickMs: 90, budgetMs: 50 };
  const of = (kind: string, atMs: number, facts: object) => ({
    ...{ kind, pod: 'pod-1', atMs, facts: { ...hot, ...facts } },
  });
  feed.add([of('dilation', 0, { dilation: 3 }), of('overloaded', 9_000, { tickMs: 400 })]);
  feed.add([of('dilation', 20_000, { dilation: 1, tickMs: 4 })]);
  expect(textsOf(feed)).toEqual([
    'pod-1: time runs as ever again in region 3, where cell 28 costs 4 of 50 ms',
    'OVERLOADED: pod-1, region 3, where cell 28 costs 400 of 50 ms',
    'pod-1: time runs at 1/3 in region 3, where cell 28 costs 90 of 50 ms',
  ]);
});

test('a pod that waits for PostgreSQL says so and when it goes on; one that is gone does not wait', () => {
  const feed = new Feed();
  const of = (kind: string, pod: string, atMs: number, facts = {}) => ({ kind, pod, atMs, facts });
  const why = 'PostgreSQL does not answer';
  feed.add([of('cooling-waits', 'pod-1', 0, { why }), of('cooling-waits', 'pod-2', 1, { why })]);
  feed.seeLiving(new Set(['pod-1', 'pod-2']));
  expect(textsOf(feed)).toEqual([
    `pod-2 moved no cell to sleep: ${why}`,
    `pod-1 moved no cell to sleep: ${why}`,
  ]);
  feed.add([of('cooling-goes-on', 'pod-2', 9_000)]);
  feed.seeLiving(new Set(['pod-2', 'pod-3']));
  expect(textsOf(feed)).toEqual([
    'pod-2 moves cells to sleep again',
    `pod-2 moved no cell to sleep: ${why}`,
    `pod-1 moved no cell to sleep until it was gone: ${why}`,
  ]);
});

test('a kind that the page does not know is told as it is, and old lines are dropped', () => {
  const feed = new Feed();
  feed.add([{ kind: 'heal', pod: 'pod-1', atMs: 0, facts: { entries: 4 } }]);
  expect(textsOf(feed)).toEqual(['heal · pod-1 · entries 4']);
  for (let i = 1; i < 100; i++) {
    feed.add([{ kind: 'heal', pod: 'pod-1', atMs: i * 10_000, facts: {} }]);
  }
  expect(feed.lines).toHaveLength(60);
});
