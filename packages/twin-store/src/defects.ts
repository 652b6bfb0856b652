/** Rules that a twin can be told to break, so that a proof on it can be seen to notice. */

/**
 * no-fence        commits of whoever held the cell before are accepted (L1)
 * no-head         a commit need not extend the head (L3)
 * no-repetition   a commit that was applied before is not recognised (L4)
 * no-cursor       channel cursors need not begin where the store is (E1)
 * lost-cursor     channel cursors are not kept (E1)
 * no-chain        followers are not told that a log went back (L3, V1)
 * no-barrier      a barrier returns at once (E1, V1)
 * one-strike      an expired lease is taken without a grace time (L5)
 * low-epoch       epochs begin anew with every lease (L2)
 */
export type TwinDefect =
  | 'no-fence'
  | 'no-head'
  | 'no-repetition'
  | 'no-cursor'
  | 'lost-cursor'
  | 'no-chain'
  | 'no-barrier'
  | 'one-strike'
  | 'low-epoch';
