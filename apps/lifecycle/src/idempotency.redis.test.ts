/** What a key stands for, where two come at once. */
import { randomBytes } from 'node:crypto';
import { openLiveRecords } from '@leasehold/live-store';
import { Grid } from '@leasehold/spatial';
import { useRedis } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { claimKey, type Decided } from './idempotency.ts';

const at = useRedis();

test('M1 who finds nothing left to decide gets what the first one has decided', async () => {
  const grid = new Grid({ kind: 'torus', width: 40, height: 40, cell: 10 });
  const world = `keys-${randomBytes(4).toString('hex')}`;
  const facts = { url: at.url, world, incarnation: 1, layer: 'main', grid };
  const records = await openLiveRecords(facts);
  const asked = { key: 'k', hash: 'h' };
  const decided: Decided = { request: 'r', ids: [], cell: 3 };
  const gone = new Error('the entity is gone');
  const second = claimKey(records, asked, async () => {
    await claimKey(records, asked, async () => decided);
    throw gone;
  });
  await expect(second).resolves.toMatchObject({ decided });
  const alone = claimKey(records, { ...asked, key: 'l' }, () => Promise.reject(gone));
  await expect(alone).rejects.toBe(gone);
  await records.close();
});
