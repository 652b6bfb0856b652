/** A commit as its script takes it. */
import type { Commit } from '@leasehold/protocol';
import type { CellCommitItem } from './generated/library.ts';
import type { CellKeys } from './keys.ts';

const EMPTY = new Uint8Array(0);
const NOTHING: readonly never[] = [];

/**
 * Names only the keys in use: while a slot of a cluster migrates, a key that is declared and does
 * not exist makes the whole call wait (TRYAGAIN).
 */
export function commitItem(
  keys: CellKeys,
  commit: Commit,
): CellCommitItem & { readonly cell: number } {
  const { claim, checkpoint, geo, inbox, out, outTrimTo = 0, then } = commit;
  const usesOut = out.length > 0 || outTrimTo > 0;
  return {
    cell: claim.cell,
    block: keys.block,
    meta: keys.meta,
    log: keys.log,
    out: usesOut ? keys.out : undefined,
    inbox: inbox !== undefined ? keys.inbox : undefined,
    ckpt0: checkpoint !== undefined ? keys.ckpt0 : undefined,
    ckpt1: checkpoint !== undefined ? keys.ckpt1 : undefined,
    geo: geo !== undefined && geo.put.length + geo.drop.length > 0 ? keys.geo : undefined,
    nonce: claim.nonce,
    epoch: claim.epoch,
    seq: commit.seq,
    prevHash: commit.prevHash,
    hash: commit.hash,
    tick: commit.tick,
    idCounter: commit.idCounter,
    ttlMs: commit.ttlMs,
    inboxFrom: inbox?.from ?? 0,
    inboxTo: inbox?.to ?? 0,
    outTrimTo,
    ending: then === undefined ? '' : then === 'release' ? 'release' : 'handover',
    heir: typeof then === 'object' ? then.heir : '',
    body: commit.body,
    checkpoint: checkpoint ?? EMPTY,
    cursors: commit.cursors,
    outs: out,
    geoPuts: geo?.put ?? NOTHING,
    geoDrops: geo?.drop ?? NOTHING,
  };
}
