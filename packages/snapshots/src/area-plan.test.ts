import type { SnapshotEntity } from '@leasehold/snapshot-store';
import { expect, test } from 'vitest';
import { planArea } from './area-plan.ts';

const entity = (id: number, x: number, hp = 1): SnapshotEntity => ({
  ...{ id, cell: Math.floor(x / 10), x, y: 0, prefab: null, inFlight: false },
  components: { position: { x, y: 0 }, life: { hp } },
});

/** As the store answers: a page in the order of ids, of an area or of some ids. */
function storeOf(all: Readonly<Record<string, readonly SnapshotEntity[]>>) {
  return {
    entities: async (
      id: string,
      { area, ids, after = -1 }: { area?: unknown; ids?: readonly number[]; after?: number } = {},
    ) =>
      (all[id] ?? []).filter(
        (each) =>
          each.id > after &&
          (area === undefined || (each.x ?? 0) < 50) &&
          (ids === undefined || ids.includes(each.id)),
      ),
  };
}

test('E2 who died is born anew, who came goes, who changed changes back, who left stays away', async () => {
  const came = { ...entity(5, 30), components: { life: { hp: 1 } } };
  const store = storeOf({
    then: [entity(1, 10), entity(2, 20), entity(3, 30), entity(4, 40)],
    now: [
      entity(1, 10),
      { ...entity(2, 21, 9), components: { position: { x: 21, y: 0 }, mark: {}, life: { hp: 1 } } },
      entity(4, 80),
      came,
    ],
  });
  const plan = await planArea(store, { then: 'then', now: 'now', area: { kind: 'world' } });
  expect(plan).toEqual({
    births: [entity(3, 30)],
    deaths: [came],
    changes: [{ id: 2, cell: 2, set: { position: { x: 20, y: 0 } }, remove: ['mark'] }],
    same: 1,
    elsewhere: [4],
  });
});

test('who was born again under another id is as it was: a second time changes nothing', async () => {
  const store = storeOf({
    then: [entity(1, 10), entity(2, 20), entity(3, 20)],
    // One for two of whom each is like it, and one who has come besides.
    now: [entity(1, 10), entity(7, 20), entity(8, 30)],
  });
  const plan = await planArea(store, { then: 'then', now: 'now', area: { kind: 'world' } });
  expect(plan).toEqual({
    births: [entity(3, 20)],
    deaths: [entity(8, 30)],
    ...{ changes: [], same: 2, elsewhere: [] },
  });
});
