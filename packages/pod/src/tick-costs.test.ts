import { describe, expect, test } from 'vitest';
import type { Holding } from './holding.ts';
import { TickCosts } from './tick-costs.ts';

const RATE_HZ = 20;

/** Cells as far as their cost goes, and rounds of all of them. */
function cellsOf(costs: readonly number[]) {
  const cells = costs.map(() => ({ spentMs: 0, tickMs: 0, timedTicks: 0, dilation: 1 }));
  const order = cells as unknown as Holding[];
  const measured = new TickCosts();
  const round = (spent: readonly number[] = costs, share = 1): void => {
    for (const [i, cell] of cells.entries()) cell.spentMs = spent[i] as number;
    measured.note(order, { first: 0, next: order.length, share, rateHz: RATE_HZ });
  };
  const sum = (): number => cells.reduce((all, { tickMs }) => all + tickMs, 0) * measured.pauses;
  return { cells, round, sum, measured };
}

const tenth = Array.from({ length: 20 }, () => 0.1);

describe('what a cell costs', () => {
  test('is what its ticks take, of the processor alone', () => {
    const { cells, round, measured } = cellsOf([0.1, 0.3, 0.2]);
    for (let tick = 0; tick < 3 * RATE_HZ; tick++) round([0.1, 0.3, 0.2], 0.5);
    expect(cells.map(({ tickMs }) => Number(tickMs.toFixed(3)))).toEqual([0.05, 0.15, 0.1]);
    expect(measured.pauses).toBeCloseTo(1);
  });

  test('a pause counts for all of them: no cell is taken for a heavy one, and nothing is forgotten', () => {
    const { cells, round, sum } = cellsOf(tenth);
    for (let tick = 0; tick < 100; tick++) round();
    for (let tick = 0; tick < 600; tick++) {
      round(tenth.map((ms, i) => (tick % 20 === 0 && i === (tick / 20) % 20 ? ms + 2 : ms)));
      for (const { tickMs } of cells) expect(tickMs).toBeLessThan(0.15);
    }
    // Two milliseconds a second, beside two of each tick.
    expect(sum()).toBeGreaterThan(2.05);
    expect(sum()).toBeLessThan(2.15);
  });

  test('a crowd that comes is seen within two seconds', () => {
    const { cells, round } = cellsOf(tenth);
    for (let tick = 0; tick < 100; tick++) round();
    for (let tick = 0; tick < 2 * RATE_HZ; tick++) round([10, ...tenth.slice(1)]);
    expect(cells[0]?.tickMs).toBeGreaterThan(7);
  });

  test('a cell that comes is known after its first ticks', () => {
    const { cells, round } = cellsOf([0.1, 0.3]);
    for (let tick = 0; tick < 3; tick++) round();
    expect(cells[1]?.tickMs).toBeCloseTo(0.3);
  });
});
