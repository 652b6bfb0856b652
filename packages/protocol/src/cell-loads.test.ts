import { describe, expect, test } from 'vitest';
import { type CellLoad, decodeCellLoads, encodeCellLoads } from './index.ts';

describe('loads of cells', () => {
  test('come back ascending, one of each cell, the one that was told last', () => {
    const loads: CellLoad[] = [
      { cell: 9_999, tickMs: 0.5, entities: 70 },
      { cell: 3, tickMs: 1, entities: 1 },
      { cell: 3, tickMs: 2.25, entities: 16_000_000, stillMs: 86_400_000 },
    ];
    expect(decodeCellLoads(encodeCellLoads(loads))).toEqual([loads[2], loads[0]]);
    expect(decodeCellLoads(encodeCellLoads([]))).toEqual([]);
  });

  test('pass numbers on as they are: who plans judges them', () => {
    const loads: CellLoad[] = [
      { cell: 0, tickMs: Number.NaN, entities: -1 },
      { cell: 1, tickMs: Number.POSITIVE_INFINITY, entities: 1e12 },
    ];
    const read = decodeCellLoads(encodeCellLoads(loads));
    expect(read[0]).toEqual(loads[0]);
    expect(read[1]?.tickMs).toBe(Number.POSITIVE_INFINITY);
    expect((read[1]?.entities ?? 0) / 1e12).toBeCloseTo(1, 6);
  });

  test('take nine bytes a cell', () => {
    const loads = Array.from({ length: 10_000 }, (_, cell) => ({ cell, tickMs: 1.7, entities: 3 }));
    expect(encodeCellLoads(loads).length).toBeLessThan(90_010);
  });

  test('that are cut short, too long or of another version are BODY_MALFORMED', () => {
    const bytes = encodeCellLoads([
      { cell: 5, tickMs: 1, entities: 2, stillMs: 50 },
      { cell: 700, tickMs: 1, entities: 2 },
    ]);
    const wrong = [
      ...Array.from({ length: bytes.length }, (_, end) => bytes.slice(0, end)),
      new Uint8Array([...bytes, 0]),
      new Uint8Array([9, ...bytes.slice(1)]),
    ];
    for (const of of wrong) {
      expect(() => decodeCellLoads(of)).toThrow(
        expect.objectContaining({ code: 'BODY_MALFORMED' }),
      );
    }
  });
});
