import { expect, test } from 'vitest';
import { edgesOf } from './edges.ts';
import { gridOf } from './testing.ts';

/** A low strip, and above it a left and a right half. */
const regions = [
  { id: 1, pod: 'low', rect: { column: 0, row: 0, columns: 6, rows: 1 } },
  { id: 2, pod: 'left', rect: { column: 0, row: 1, columns: 4, rows: 2 } },
  { id: 3, pod: 'right', rect: { column: 4, row: 1, columns: 2, rows: 2 } },
];

test('an edge names its side, rows rising to the north, and how long it is', () => {
  expect(edgesOf(gridOf(6, 3), regions)).toEqual([
    [
      { side: 'north', region: 2, pod: 'left', cells: 4 },
      { side: 'north', region: 3, pod: 'right', cells: 2 },
    ],
    [
      { side: 'east', region: 3, pod: 'right', cells: 2 },
      { side: 'south', region: 1, pod: 'low', cells: 4 },
    ],
    [
      { side: 'west', region: 2, pod: 'left', cells: 2 },
      { side: 'south', region: 1, pod: 'low', cells: 2 },
    ],
  ]);
});

test('on a torus it goes through the seams, but never to the region itself', () => {
  const [low, left] = edgesOf(gridOf(6, 3, true), regions);
  expect(low!.map(({ side, region }) => `${side} ${region}`)).toEqual([
    ...['north 2', 'north 3', 'south 2', 'south 3'],
  ]);
  expect(left!.map(({ side, region }) => `${side} ${region}`)).toEqual([
    ...['west 3', 'east 3', 'north 1', 'south 1'],
  ]);
});
