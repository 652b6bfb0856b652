import { describe, expect, test } from 'vitest';
import { FAULT_KINDS, type FaultKind, faultPlan } from './faults.ts';

const plan = (seed: number, spanMs: number, kinds: readonly FaultKind[] = FAULT_KINDS) =>
  faultPlan({ kinds, seed, spanMs, leaseTtlMs: 2_000 });

describe('the plan of faults', () => {
  test('one seed makes one plan, another seed another', () => {
    expect(plan(7, 60_000)).toEqual(plan(7, 60_000));
    expect(plan(7, 60_000)).not.toEqual(plan(8, 60_000));
  });

  test.each([1, 2, 3, 4, 5])('every kind comes once before one comes again (seed %i)', (seed) => {
    const kinds = plan(seed, 120_000).map(({ kind }) => kind);
    expect(kinds.length).toBeGreaterThan(FAULT_KINDS.length);
    for (let from = 0; from + FAULT_KINDS.length <= kinds.length; from += FAULT_KINDS.length) {
      expect(new Set(kinds.slice(from, from + FAULT_KINDS.length)).size).toBe(FAULT_KINDS.length);
    }
  });

  test('faults are in order, within the time, and last as long as they may', () => {
    for (const seed of [1, 2, 3]) {
      const faults = plan(seed, 600_000);
      const shares = faults.map(({ share }) => share);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect(Math.max(...shares)).toBeLessThan(1);
      for (const { kind, forMs, delayMs } of faults) {
        if (kind === 'stop' || kind === 'partition') {
          expect(forMs).toBeGreaterThanOrEqual(1_000);
          expect(forMs).toBeLessThanOrEqual(6_000);
        }
        if (kind === 'slow') {
          expect(delayMs).toBeGreaterThanOrEqual(5);
          expect(delayMs).toBeLessThanOrEqual(100);
        }
      }
      const partitions = faults.filter(({ kind }) => kind === 'partition');
      expect(new Set(partitions.map(({ way }) => way))).toEqual(new Set(['up', 'down', 'both']));
    }
  });

  test('a short run has fewer faults, and at least one', () => {
    expect(plan(1, 1_000, ['kill'])).toHaveLength(1);
    expect(plan(1, 6_000)).toHaveLength(4);
    expect(plan(1, 6_000, [])).toEqual([]);
    const countMin = FAULT_KINDS.length;
    const crowded = { kinds: FAULT_KINDS, seed: 1, spanMs: 1_000, leaseTtlMs: 2_000, countMin };
    expect(new Set(faultPlan(crowded).map(({ kind }) => kind)).size).toBe(FAULT_KINDS.length);
  });
});
