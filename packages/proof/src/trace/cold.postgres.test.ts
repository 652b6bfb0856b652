/** Cells that leave Redis whenever they may, beside a twin in which none ever does. */
import { ColdCells } from '@leasehold/snapshot-store';
import { usePostgres } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { LAYER } from '../model/lane.ts';
import { duel } from './duel.ts';

const CALLS = 2_500;

const at = usePostgres();

test('L1 L2 L3 L4 M1 nobody can tell a cell that slept from one that did not', async () => {
  const cold = (world: string) =>
    new ColdCells({
      ...{ url: at.databaseUrl, world, incarnation: 1 },
      layer: LAYER,
      layers: [LAYER],
    });
  const { differences, calls, cooled } = await duel({ calls: CALLS, cold });
  expect(differences).toEqual([]);
  expect(calls).toBeGreaterThanOrEqual(CALLS);
  expect(cooled).toBeGreaterThan(60);
}, 120_000);
