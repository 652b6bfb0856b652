import { expect, test } from 'vitest';
import { MeanLoads } from './mean-loads.ts';

test('a sample is the mean of what was reported since the one before', () => {
  const means = new MeanLoads();
  means.add(new Map([['a', [{ cell: 9, tickMs: 4, entities: 10 }]]]));
  const gone = [
    { cell: 9, tickMs: 2, entities: 20 },
    { cell: 3, tickMs: 1, entities: 2 },
  ];
  means.add(
    new Map([
      ['a', gone],
      ['b', []],
    ]),
  );
  const taken = means.take();
  expect(taken.get('a')).toEqual([
    { cell: 3, tickMs: 0.5, entities: 1 },
    { cell: 9, tickMs: 3, entities: 15 },
  ]);
  expect(taken.get('b')).toEqual([]);
  expect(means.take().size).toBe(0);
  means.add(new Map([['a', [{ cell: 9, tickMs: 1, entities: 1 }]]]));
  expect(means.take().get('a')).toEqual([{ cell: 9, tickMs: 1, entities: 1 }]);
});
