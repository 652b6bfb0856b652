/**
 * The store as whoever creates or forgets a world sees it. Implemented by `live-store` and
 * `twin-store`; opened for one (world, incarnation, layer). Pods never use it.
 */
import type { ChannelEntry } from './store.ts';

/**
 * The epoch of entry 1 of a seeded cell: below every epoch a lease can have, and the same for every
 * seeder, so that a repeated seeding writes the same hash.
 */
export const SEED_EPOCH = '0';

/** Entry 1 of a cell: seq 1, tick 0, previous hash '', epoch `SEED_EPOCH`. */
export type CellSeed = {
  readonly cell: number;
  /** `entryHash('', 1, SEED_EPOCH, 0, body)`. */
  readonly hash: string;
  readonly body: Uint8Array;
  readonly idCounter: number;
};

export type CellSeedReply =
  | { readonly tag: 'OK' }
  /** This very entry was written before. */
  | { readonly tag: 'ALREADY' }
  /** The cell has another history. Nothing was written. */
  | { readonly tag: 'HEAD'; readonly seq: number; readonly hash: string }
  | { readonly tag: 'NOWORLD' }
  | { readonly tag: 'SEALED' }
  | { readonly tag: 'TOOBIG'; readonly message: string }
  | { readonly tag: 'BADARG'; readonly message: string }
  | { readonly tag: 'REFUSED'; readonly message: string }
  | { readonly tag: 'UNKNOWN'; readonly message: string };

/** A cell as it was at a cut, which nobody holds. */
export type CellRestore = {
  readonly cell: number;
  /** The position in its log that the checkpoint stands for. */
  readonly seq: number;
  readonly hash: string;
  readonly tick: number;
  readonly idCounter: number;
  /** Ids that were given out to who asked from outside. */
  readonly asked: number;
  readonly outSeq: number;
  /** As `encodeCheckpoint` writes it, of the same tick and id counter. */
  readonly checkpoint: Uint8Array;
  /** The one entry behind the checkpoint, of epoch `SEED_EPOCH`: it says who was leaving. */
  readonly last?: { readonly hash: string; readonly tick: number; readonly body: Uint8Array };
  /** Last channel position consumed, by number or address of the source. */
  readonly cursors: readonly { readonly cell: number; readonly seq: number }[];
};

/** What a cell had sent that not all readers had taken in: a part of its channel, ascending. */
export type ChannelRestore = {
  readonly cell: number;
  readonly outs: readonly Pick<ChannelEntry, 'seq' | 'to' | 'tick' | 'body'>[];
};

export interface WorldAdmin {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** Identity of the server process, as in `StoreStatus`. */
  runId(): Promise<string>;
  /** Makes every block of the grid. A block that exists is left as it is, sealed or not. */
  createBlocks(): Promise<void>;
  /** Writes entry 1 of cells by compare-and-append; splits the work into calls by itself. */
  createCells(cells: readonly CellSeed[]): Promise<CellSeedReply[]>;
  /**
   * Writes cells, none of which may be there yet, as they were at a cut. A repetition changes nothing.
   */
  restoreCells(cells: readonly CellRestore[]): Promise<CellSeedReply[]>;
  /** Writes what was on its way from restored cells. A repetition changes nothing. */
  restoreChannels(channels: readonly ChannelRestore[]): Promise<CellSeedReply[]>;
  /** Blocks of the grid that exist in this incarnation, and how many of those are sealed. */
  blocks(): Promise<{ readonly present: number; readonly sealed: number }>;
  /**
   * Every incarnation of this world that has a block in the store, ascending. May scan all keys.
   */
  incarnations(): Promise<number[]>;
  putSchema(hash: string, json: string): Promise<void>;
  getSchema(hash: string): Promise<string | undefined>;
  /**
   * Seals every block, so that whoever still holds a lease is refused, then removes the keys of all
   * layers of this incarnation, at most 1,000 a call. Repeating it goes on where it stopped.
   */
  forget(): Promise<void>;
  close(): Promise<void>;
}
