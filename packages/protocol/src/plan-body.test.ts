import { describe, expect, test } from 'vitest';
import { type Plan, parsePlan, planJson } from './index.ts';

const PLAN: Plan = {
  version: 7,
  atMs: 1_800_000_000_000,
  regions: [
    {
      id: 1,
      rect: { column: 0, row: 0, columns: 4, rows: 8 },
      pod: 'a',
      standby: 'b',
      edges: [{ side: 'east', region: 2, pod: 'b', cells: 8 }],
    },
    {
      id: 2,
      rect: { column: 4, row: 0, columns: 4, rows: 8 },
      pod: '',
      standby: '',
      relief: 'slow-views',
      edges: [],
    },
    {
      id: 3,
      rect: { column: 8, row: 0, columns: 1, rows: 1 },
      pod: 'c',
      standby: '',
      relief: 'overloaded',
      dilation: 4,
      edges: [],
    },
  ],
  asleep: [
    [0, 4],
    [6, 1],
  ],
};

describe('the text of a plan', () => {
  test('is read as it was written', () => {
    expect(parsePlan(planJson(PLAN))).toEqual(PLAN);
  });

  test.each<[string, (plan: Record<string, unknown>) => unknown]>([
    ['plan', () => 7],
    ['plan', () => null],
    ['version', (plan) => ({ ...plan, version: 0 })],
    ['version', (plan) => ({ ...plan, version: '7' })],
    ['version', (plan) => ({ ...plan, version: 1e14 })],
    ['atMs', (plan) => ({ ...plan, atMs: undefined })],
    ['regions', (plan) => ({ ...plan, regions: {} })],
    ['regions[0]', (plan) => ({ ...plan, regions: [[]] })],
    ['regions[0].id', (plan) => ({ ...plan, regions: [{ ...PLAN.regions[0], id: -1 }] })],
    ['regions[1].id', (plan) => ({ ...plan, regions: [PLAN.regions[0], PLAN.regions[0]] })],
    ['regions[0].rect', (plan) => ({ ...plan, regions: [{ ...PLAN.regions[0], rect: 1 }] })],
    [
      'regions[0].rect.rows',
      (plan) => ({
        ...plan,
        regions: [{ ...PLAN.regions[0], rect: { column: 0, row: 0, columns: 1, rows: 0 } }],
      }),
    ],
    ['regions[0].pod', (plan) => ({ ...plan, regions: [{ ...PLAN.regions[0], pod: null }] })],
    ['regions[0].relief', (plan) => ({ ...plan, regions: [{ ...PLAN.regions[0], relief: 'x' }] })],
    ...[1, 1.5, 1_001, '4', null].map(
      (dilation): [string, (plan: Record<string, unknown>) => unknown] => [
        'regions[0].dilation',
        (plan) => ({ ...plan, regions: [{ ...PLAN.regions[2], dilation }] }),
      ],
    ),
    ['regions[0].relief', (plan) => ({ ...plan, regions: [{ ...PLAN.regions[1], dilation: 4 }] })],
    ['regions[0].relief', (plan) => ({ ...plan, regions: [{ ...PLAN.regions[0], dilation: 4 }] })],
    [
      'regions[0].edges[0].side',
      (plan) => ({
        ...plan,
        regions: [{ ...PLAN.regions[0], edges: [{ side: 'up', region: 2, pod: 'b', cells: 8 }] }],
      }),
    ],
    ['asleep[0]', (plan) => ({ ...plan, asleep: [[1]] })],
    [
      'asleep[1][0]',
      (plan) => ({
        ...plan,
        asleep: [
          [4, 2],
          [5, 1],
        ],
      }),
    ],
  ])('PLAN_INVALID names %s', (field, spoil) => {
    const spoilt = spoil(JSON.parse(planJson(PLAN)) as Record<string, unknown>);
    const fault = expect.objectContaining({
      code: 'PLAN_INVALID',
      detail: expect.objectContaining({ field }),
    });
    expect(() => parsePlan(JSON.stringify(spoilt))).toThrow(fault);
    expect(() => planJson(spoilt as Plan)).toThrow(fault);
  });

  test('PLAN_INVALID is said of what is no JSON, and of more than can be stored', () => {
    const fault = expect.objectContaining({ code: 'PLAN_INVALID' });
    expect(() => parsePlan('{"version":')).toThrow(fault);
    const regions = [{ ...PLAN.regions[0]!, pod: 'x'.repeat(4 * 1024 * 1024) }];
    expect(() => planJson({ ...PLAN, regions })).toThrow(fault);
  });
});
