/**
 * What a commit says: who arrived, what changed, who was born, who died and who left; never what
 * stayed as it was.
 *
 * Row numbers are those of the table after arrivals were merged, before births, deaths and
 * departures: the hash chain guarantees that writer and follower hold the same rows then.
 */
import type { RowSet } from './row-set.ts';
import type { Column, LayerSchema } from './schema.ts';
import type { ChannelEntry } from './store.ts';
import type { Table } from './table.ts';

export type Departure = {
  /** The cell it goes to; `OUTBOX`: letters for no cell around. */
  readonly to: number;
  /** The entry of the own channel that carries it. */
  readonly seq: number;
  /** Ascending; none where letters are all that is sent. */
  readonly ids: readonly number[];
};

/** What a tick did besides changing fields. */
export type CommitParts = {
  readonly tick: number;
  /** The last id counter given out, births of this tick included. */
  readonly idCounter: number;
  /** Channel entries merged at the start of the tick, bodies verbatim, in the order merged. */
  readonly arrivals: readonly ChannelEntry[];
  /** New entities; not in the table yet. */
  readonly births: Table;
  /** Ascending ids; still in the table. */
  readonly deaths: readonly number[];
  /** One for each entry of the channel, in its order. Who leaves is still in the table. */
  readonly departures: readonly Departure[];
  /** Ticks that were not simulated before this one; absent means 0. */
  readonly jumped?: number;
};

export type FieldChange = {
  /** Index in the schema's components. */
  readonly component: number;
  /** Index in the component's fields. */
  readonly field: number;
  readonly set: RowSet;
  /** One value for each row of the set. */
  readonly values: Column;
};

/** Rows whose components changed, and their new masks. */
export type MaskChange = { readonly set: RowSet; readonly values: Uint32Array };

/** A commit as read, ready for `applyCommit`; all of it is in terms of `schema`. */
export type CommitBody = Required<CommitParts> & {
  readonly schema: LayerSchema;
  /** Rows of the table after arrivals, to which row numbers refer. */
  readonly rowCount: number;
  /** The rows of each arrival; none of one that carries letters. */
  readonly arrivalRows: readonly Table[];
  readonly masks: MaskChange | undefined;
  readonly changes: readonly FieldChange[];
};
