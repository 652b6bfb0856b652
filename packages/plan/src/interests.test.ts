import type { Interest } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { gatherInterests } from './index.ts';

const until = 1_000;

test('viewers of all gateways are added up; an order is none', () => {
  const interests: Interest[] = [
    { kind: 'view', untilMs: until, runs: [[0, 2, 3]] },
    { kind: 'view', untilMs: until, runs: [[1, 3, 2]] },
    { kind: 'order', untilMs: until, runs: [[5, 1, 0]] },
  ];
  const { viewers, ordered } = gatherInterests(interests, 6);
  expect([...viewers]).toEqual([3, 5, 2, 2, 0, 0]);
  expect([...ordered]).toEqual([0, 0, 0, 0, 0, 1]);
});

test('cells that are not in the grid are passed over', () => {
  const interests: Interest[] = [
    { kind: 'view', untilMs: until, runs: [[2, 1_000_000, 1]] },
    { kind: 'order', untilMs: until, runs: [[9, 1, 0]] },
  ];
  const { viewers, ordered } = gatherInterests(interests, 4);
  expect([...viewers]).toEqual([0, 0, 1, 1]);
  expect([...ordered]).toEqual([0, 0, 0, 0]);
});
