/** What a script takes of one cell: what the caller gave, and the names of the keys in use. */
import type { Commit } from '@leasehold/protocol';
import { geoScore } from '@leasehold/spatial';
import type { CellCommitItem } from './generated/library.ts';
import type { CellKeys } from './keys.ts';

const EMPTY = new Uint8Array(0);
const NOTHING: readonly never[] = [];

type OptionalKey = 'out' | 'inbox' | 'ckpt0' | 'ckpt1' | 'geo';

/**
 * A cell, and which of a function's optional keys this call uses. Only keys in use are named: while
 * a slot of a cluster migrates, one that is declared and does not exist makes the call wait
 * (TRYAGAIN).
 */
export type UsedKeys = {
  readonly cell: number;
  readonly unused?: ReadonlySet<OptionalKey>;
};

/** Adds the keys of its cell to what a script takes. */
export function withKeys<T extends UsedKeys>(each: T, keys: CellKeys): T & Partial<CellKeys> {
  if (each.unused === undefined || each.unused.size === 0) return { ...each, ...keys };
  const named: Record<string, unknown> = { ...each, ...keys };
  for (const name of each.unused) named[name] = undefined;
  return named as T & Partial<CellKeys>;
}

/** A commit as its script takes it. */
export function commitItem(commit: Commit): Omit<CellCommitItem, keyof CellKeys> & UsedKeys {
  const { claim, checkpoint, geo, inbox, out, outTrimTo = 0, ending } = commit;
  const unused = new Set<OptionalKey>();
  if (out.length === 0 && outTrimTo === 0) unused.add('out');
  if (inbox === undefined) unused.add('inbox');
  if (checkpoint === undefined) unused.add('ckpt0').add('ckpt1');
  if (geo === undefined || geo.put.length + geo.drop.length === 0) unused.add('geo');
  return {
    cell: claim.cell,
    unused,
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
    inboxKeep: inbox?.keep === true ? 1 : 0,
    outTrimTo,
    ending: ending === undefined ? '' : ending === 'release' ? 'release' : 'handover',
    heir: typeof ending === 'object' ? ending.heir : '',
    body: commit.body,
    checkpoint: checkpoint ?? EMPTY,
    cursors: commit.cursors,
    outs: out,
    geoPuts: geo?.put.map(scored) ?? NOTHING,
    geoDrops: geo?.drop.map(String) ?? NOTHING,
  };
}

type Put = NonNullable<Commit['geo']>['put'][number];

const scored = ({ id, longitude, latitude }: Put) => ({
  score: geoScore(longitude, latitude),
  id: String(id),
});
