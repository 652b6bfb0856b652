import { describe, expect, test } from 'vitest';
import { borderLines, labelPlaces } from './regions.ts';

/** Rows of digits, the first row drawn is row 0. */
function grid(...rows: readonly string[]) {
  const holders = Uint16Array.from(rows.join(''), Number);
  return { holders, extent: { columns: rows[0]!.length, rows: rows.length } };
}

describe('the place for a number', () => {
  test('is in each region, larger ones first, and the largest of a pod is its main one', () => {
    const { holders, extent } = grid('1022222', '0002222', '1112222', '1112221', '1112221');
    expect(labelPlaces(holders, extent)).toEqual([
      { holder: 2, column: 4.5, row: 2.5, size: 19, isMain: true },
      { holder: 1, column: 1.5, row: 3.5, size: 9, isMain: true },
      { holder: 1, column: 6.5, row: 3.5, size: 2, isMain: false },
      { holder: 1, column: 0.5, row: 0.5, size: 1, isMain: false },
    ]);
  });

  test('is inside its region even when the middle of the region is not', () => {
    const { holders, extent } = grid('1111', '1000', '1000', '1111');
    const [place] = labelPlaces(holders, extent);
    expect(holders[Math.floor(place!.row) * 4 + Math.floor(place!.column)]).toBe(1);
  });

  test('is nowhere for a pod without cells', () => {
    const { holders, extent } = grid('00', '00');
    expect(labelPlaces(holders, extent)).toEqual([]);
  });
});

describe('borders', () => {
  test('lie between different holders and are as long as they can be', () => {
    const { holders, extent } = grid('112', '112', '333');
    expect(borderLines(holders, extent)).toEqual([0, 2, 3, 2, 2, 0, 2, 2]);
  });

  test('of one holder are none', () => {
    const { holders, extent } = grid('11', '11');
    expect(borderLines(holders, extent)).toEqual([]);
  });
});
