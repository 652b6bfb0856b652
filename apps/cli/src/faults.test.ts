import { describe, expect, test } from 'vitest';
import { FaultClock } from './faults.ts';

describe('fault schedule', () => {
  test('each kind comes at its own interval, the first after one interval', () => {
    const clock = new FaultClock({ kill: 1_000, stop: 1_500 }, 1);
    expect(clock.due(999)).toEqual([]);
    expect(clock.due(1_000)).toEqual([{ kind: 'kill', atMs: 1_000 }]);
    expect(clock.due(1_500)).toEqual([{ kind: 'stop', atMs: 1_500 }]);
    expect(clock.due(1_999)).toEqual([]);
    expect(clock.due(3_000).map(({ kind }) => kind)).toEqual(['kill', 'stop']);
  });

  test('faults missed by a busy machine are left out, not made up for at once', () => {
    const clock = new FaultClock({ kill: 100, stop: 0 }, 1);
    expect(clock.due(1_050)).toHaveLength(1);
    expect(clock.due(1_099)).toEqual([]);
    expect(clock.due(1_100)).toHaveLength(1);
  });

  test('the same seed chooses the same pods', () => {
    const chosen = (seed: number): unknown[] => {
      const clock = new FaultClock({ kill: 1, stop: 0 }, seed);
      return Array.from({ length: 20 }, () => clock.choose(['a', 'b', 'c']));
    };
    expect(chosen(7)).toEqual(chosen(7));
    expect(chosen(7)).not.toEqual(chosen(8));
    expect(new FaultClock({ kill: 1, stop: 0 }, 1).choose([])).toBeUndefined();
  });
});
