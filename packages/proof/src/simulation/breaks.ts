/** Known bugs that can be put into the store of a run: the simulation must notice each of them. */
import type { TwinDefect } from '@leasehold/twin-store';

/** What each of them is, for people. */
export const BREAKS: Readonly<Record<TwinDefect, string>> = {
  'no-fence': 'commits of whoever held the cell before are accepted (L1)',
  'no-head': 'a commit need not extend the head (L3)',
  'trim-unread': 'a channel keeps only what was sent last, read or not (E1)',
  'lost-cursor': 'channel cursors are not kept (E1)',
  'no-chain': 'followers are not told that a log went back (L3, V1)',
  'no-barrier': 'a barrier returns at once (E1, V1)',
  'one-strike': 'an expired lease is taken without a grace time (L5)',
  'low-epoch': 'epochs begin anew with every lease (L2)',
};

/** Seeds within which each must have been noticed. */
export const BREAK_SEEDS_MAX = 500;

export function isBreak(name: string): name is TwinDefect {
  return Object.hasOwn(BREAKS, name);
}
