/**
 * Where cells are kept that have left the live store, until something comes to them. Like the store,
 * it is opened for one (world, incarnation).
 */

/** A cell as it left: nobody held it, and nothing waited in it. */
export type ColdCell = {
  /** Its number, or its address in another layer. */
  readonly cell: number;
  /** Of which state it is, as `coldMark` gives it. */
  readonly mark: number;
  readonly seq: number;
  readonly hash: string;
  readonly tick: number;
  /** All of its head as the live store names it, but for its checkpoints. */
  readonly head: ReadonlyMap<string, string>;
  /** All of its state at that very head. */
  readonly checkpoint: Uint8Array;
  /** What posts it remembers: names and values in turn. */
  readonly posted: readonly string[];
  /** Its index: ids and scores in turn. */
  readonly geo: readonly string[];
};

export type ColdWish = Pick<ColdCell, 'cell' | 'mark'>;

export interface ColdStore {
  /** They last when this resolves. A cell may have been kept before, in another state. */
  put(cells: readonly ColdCell[]): Promise<void>;
  /** In the order asked; undefined: it is not kept in that state. */
  get(wishes: readonly ColdWish[]): Promise<(ColdCell | undefined)[]>;
  close(): Promise<void>;
}

export type CoolReply =
  /**
   * It is not here: it has left now, or before, or it was never written, and nothing is kept of it any
   * more. `hasLeft`: something of it was here until now.
   */
  | { readonly tag: 'COLD'; readonly hasLeft: boolean }
  /** Its log goes on behind its last checkpoint: whoever holds it once more leaves it whole. */
  | { readonly tag: 'OPEN' }
  /**
   * It stays for now; `isLater`: only because others were before it; `isUnread`: somebody has not read
   * what it has sent.
   */
  | {
      readonly tag: 'BUSY';
      readonly why: string;
      readonly isLater?: boolean;
      readonly isUnread?: boolean;
    }
  /** No cell leaves: there is no cold store, or it does not answer. */
  | { readonly tag: 'OFF'; readonly why: string };

/** Most cells that are looked at in one call, … */
export const COOL_CELLS_MAX = 1_024;
/** … and most that leave with it. */
export const COOL_LEAVING_MAX = 64;
