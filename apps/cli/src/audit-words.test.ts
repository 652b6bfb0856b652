import type { AuditStatus } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { AuditWords, wordLine } from './audit-words.ts';

const status = (more: Partial<AuditStatus> = {}): AuditStatus => ({
  type: 'status',
  alive: 2_000,
  created: 0,
  deleted: 0,
  inFlight: 3,
  lost: 0,
  duplicated: 0,
  unaccounted: 0,
  violations: 0,
  blindSpots: 0,
  rollbacks: 0,
  tick: 100,
  tickMin: 99,
  entries: 0,
  isConnected: true,
  ...more,
});

function started(): AuditWords {
  const words = new AuditWords();
  words.due(status(), 0);
  return words;
}

const abouts = (words: AuditWords, of: AuditStatus, nowMs: number): string[] =>
  words.due(of, nowMs).map(({ about }) => about);

test('the first status is the word about the start, and is told once', () => {
  const words = new AuditWords();
  expect(words.due(status(), 0)).toEqual([
    { about: 'start', tick: 100, entities: 2_000, lost: 0, duplicated: 0, violations: 0 },
  ]);
  expect(words.due(status(), 10)).toEqual([]);
});

test('a burst of takeovers is one word, once half a second has passed without another', () => {
  const words = started();
  words.noteTakeover(101, 1_000);
  words.noteTakeover(104, 1_400);
  expect(abouts(words, status({ tick: 200 }), 1_600)).toEqual([]);
  expect(abouts(words, status({ tick: 200 }), 1_900)).toEqual(['takeover']);
  expect(abouts(words, status({ tick: 200 }), 5_000)).toEqual([]);
});

test('nothing is said of a takeover before the auditor has read beyond it', () => {
  const words = started();
  words.noteTakeover(104, 1_000);
  expect(abouts(words, status({ tick: 104 }), 9_000)).toEqual([]);
  expect(abouts(words, status({ tick: 105 }), 9_000)).toEqual(['takeover']);
});

test.each([{ lost: 1 }, { duplicated: 1 }, { violations: 1 }])(
  '%o is told at once, and again only when it rises, at most once a second',
  (fault) => {
    const words = started();
    const [name, count] = Object.entries(fault)[0] as [string, number];
    expect(abouts(words, status(fault), 100)).toEqual(['violation']);
    expect(abouts(words, status(fault), 5_000)).toEqual([]);
    const more = status({ [name]: count + 1 });
    expect(abouts(words, more, 5_100)).toEqual(['violation']);
    expect(abouts(words, status({ [name]: count + 2 }), 5_200)).toEqual([]);
    expect(abouts(words, status({ [name]: count + 2 }), 6_200)).toEqual(['violation']);
  },
);

test('what the auditor said before the store went away is not told', () => {
  const words = started();
  words.noteTakeover(101, 1_000);
  expect(words.due(status({ tick: 200, isConnected: false }), 9_000)).toEqual([]);
});

test('entities on their way are not said to be lost', () => {
  const [word] = new AuditWords().due(status(), 0);
  expect(word === undefined ? '' : wordLine(word)).toBe(
    'the auditor at tick 100: 2000 entities, nothing lost, nothing doubled',
  );
  const [bad] = new AuditWords().due(status({ lost: 2 }), 0);
  expect(bad === undefined ? '' : wordLine(bad)).toContain('2 LOST');
});
