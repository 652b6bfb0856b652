/** What a gateway tells the authority of who looks at what. On the twin store. */
import { openTwinPlanStore } from '@leasehold/twin-store';
import { expect, test } from 'vitest';
import { openView } from './hub-fixture.ts';
import { runsOf } from './interest-teller.ts';

test('viewers of a cell are counted, and neighbours with equally many are one run', () => {
  expect(runsOf([])).toEqual([]);
  expect(runsOf([[3, 4, 5], [4, 5, 6], [9]])).toEqual([
    [3, 1, 1],
    [4, 2, 2],
    [6, 1, 1],
    [9, 1, 1],
  ]);
});

test('what clients look at is told while they do, and ends with a gateway that dies', async () => {
  const view = await openView();
  const { server, grid, clock } = view.world;
  const plans = openTwinPlanStore(server, { world: 'w', incarnation: 1, layer: 'main' });
  const told = async (): Promise<Record<number, number>> => {
    const counts: Record<number, number> = {};
    for (const { kind, runs } of (await plans.interests()).values()) {
      expect(kind).toBe('view');
      for (const [first, count, viewers] of runs) {
        for (let cell = first; cell < first + count; cell++) counts[cell] = viewers;
      }
    }
    return counts;
  };
  expect(await told()).toEqual({});
  const [one, two] = [view.join().hello(), view.join().hello()];
  one.subscribe(1, { kind: 'box', minX: 1, minY: 1, maxX: 9, maxY: 9 });
  two.subscribe(1, { kind: 'box', minX: 1, minY: 1, maxX: 19, maxY: 9 });
  await clock.advance(1_200);
  const [west, east] = [grid.cellAt(5, 5), grid.cellAt(15, 5)];
  expect(await told()).toEqual({ [west]: 2, [east]: 1 });
  two.say({ type: 'unsubscribe', id: 1 });
  await clock.advance(1_200);
  expect(await told()).toEqual({ [west]: 1 });
  // It says so again before it ends.
  await clock.advance(60_000);
  expect(await told()).toEqual({ [west]: 1 });
  server.disconnect('gateway');
  await clock.advance(31_000);
  expect(await told()).toEqual({});
  server.reconnect('gateway');
  await clock.advance(12_000);
  expect(await told()).toEqual({ [west]: 1 });
  await view.close();
  expect(await told()).toEqual({});
});
