import { describe, expect, test } from 'vitest';
import { Populations, pointsOf } from './populations.ts';

describe('populations', () => {
  test('are kept for some minutes, and not counted twice while time stands still', () => {
    const populations = new Populations();
    for (let tick = 1; tick <= 700; tick++) populations.add(tick, { wolf: tick, sheep: 2 });
    populations.add(700, { wolf: 9, sheep: 9 });
    const [wolf, sheep] = populations.curves();
    expect(wolf).toMatchObject({ name: 'wolf' });
    expect(wolf?.counts).toHaveLength(600);
    expect([wolf?.counts[0], wolf?.counts.at(-1)]).toEqual([101, 700]);
    expect(sheep?.counts.every((count) => count === 2)).toBe(true);
  });

  test('begin anew with another world', () => {
    const populations = new Populations();
    populations.add(50, { wolf: 1 });
    populations.add(1, { bird: 3 });
    expect(populations.curves()).toEqual([{ name: 'bird', counts: [3] }]);
  });

  test('a curve reaches from its first to its last count, and its highest touches the top', () => {
    const curve = { name: 'wolf', counts: [0, 5, 10] };
    expect(pointsOf(curve, 100, 20)).toBe('0.0,20.0 50.0,10.0 100.0,0.0');
    expect(pointsOf({ name: 'none', counts: [0] }, 100, 20)).toBe('0.0,20.0');
  });
});
