import type { Claim, Head, Store } from '@leasehold/protocol';
import { expect, test } from 'vitest';
import { FormerCells } from './former.ts';
import type { Holding } from './holding.ts';

const CELL = 7;
const holding = { cell: CELL, claim: { cell: CELL, nonce: 'pod-a.1', epoch: '200' } } as Holding;

/** What a server that went back in time says: who holds the cell there, since when. */
function recalled(nonce: string, epoch: string, isLost = false) {
  const former = new FormerCells();
  former.note(holding, isLost, 0);
  const heads = async () => [{ cell: CELL, seq: 1, nonce, epoch } as Head];
  const status = () => ({ runId: 'r' });
  return former.recalled({ heads, status } as unknown as Store, 'pod-a', () => false);
}

test('a cell that was handed over is here again when the server has not got that', async () => {
  expect(await recalled('pod-a.1', '200')).toEqual({
    returned: [holding],
    claims: [],
    isVoid: false,
  });
});

test('a lease that was granted since, of a cell that was never read, is ended and voids nothing', async () => {
  const claims = [{ cell: CELL, nonce: 'pod-a.2', epoch: '201' }];
  expect(await recalled('pod-a.2', '201')).toEqual({ returned: [], claims, isVoid: false });
});

test.each([
  ['an older lease of this pod', 'pod-a.0', '199', false],
  ['the lease that others had ended', 'pod-a.1', '200', true],
])('E1 %s voids what was learnt since', async (_, nonce, epoch, isLost) => {
  const claims = [{ cell: CELL, nonce, epoch }];
  expect(await recalled(nonce, epoch, isLost)).toEqual({ returned: [], claims, isVoid: true });
});

test('a lease that was given back before its cell was ever here is ended again', async () => {
  const former = new FormerCells();
  former.noteUnread([CELL], 0);
  const head = { cell: CELL, seq: 1, nonce: 'pod-a.3', epoch: '201' } as Head;
  const store = { heads: async () => [head], status: () => ({ runId: 'r' }) } as unknown as Store;
  const isOurs = (claim: Claim) => claim.nonce !== 'pod-a.3';
  const claims = [{ cell: CELL, nonce: 'pod-a.3', epoch: '201' }];
  expect(await former.recalled(store, 'pod-a', isOurs)).toEqual({
    returned: [],
    claims,
    isVoid: false,
  });
  expect((await former.recalled(store, 'pod-a', () => true)).claims).toEqual([]);
});

test('leases of others are left alone', async () => {
  expect(await recalled('pod-b.1', '300')).toEqual({ returned: [], claims: [], isVoid: false });
});
