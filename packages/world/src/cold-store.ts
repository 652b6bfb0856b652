/** Where cells of a world sleep: the PostgreSQL of its snapshots. */
import type { ColdStore } from '@leasehold/protocol';
import { ColdCells, type ColdCellsOptions } from '@leasehold/snapshot-store';

/** For `openLiveStore`. `url` '': there is none, and no cell of the world leaves Redis. */
export function coldStoreOf(options: ColdCellsOptions): { readonly cold?: ColdStore } {
  return options.url === '' ? {} : { cold: new ColdCells(options) };
}
