/** Rules that a twin can be told to break, so that a proof on it can be seen to notice. */

/**
 * no-fence        commits of whoever held the cell before are accepted (L1)
 * no-head         a commit need not extend the head (L3)
 * trim-unread     a channel keeps only what was sent last, read or not (E1)
 * lost-cursor     channel cursors are not kept (E1)
 * no-chain        followers are not told that a log went back (L3, V1)
 * no-barrier      a barrier returns at once (E1, V1)
 * one-strike      an expired lease is taken without a grace time (L5)
 * low-epoch       epochs begin anew with every lease (L2)
 */
export type TwinDefect =
  | 'no-fence'
  | 'no-head'
  | 'trim-unread'
  | 'lost-cursor'
  | 'no-chain'
  | 'no-barrier'
  | 'one-strike'
  | 'low-epoch';
