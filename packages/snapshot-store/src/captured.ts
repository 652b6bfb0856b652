/**
 * What a snapshot is made of, as whoever captures a world hands it over and whoever restores one gets
 * it back. Content and position are apart: the content of a cell in which nothing happened is the same
 * bytes in the next snapshot, and is kept once.
 */
import type { ChannelEntry, WorldClock } from '@leasehold/protocol';

/** Numbers that a plane or a globe is cut into cells by, as `Grid` takes them. */
export type SpaceFacts = {
  readonly kind: 'plane' | 'torus' | 'wgs84';
  readonly originX: number;
  readonly originY: number;
  readonly width: number;
  readonly height: number;
  /** The side of a cell. */
  readonly cell: number;
};

export type LayerFacts = {
  readonly layer: string;
  readonly schemaHash: string;
};

/** What is known of a snapshot when it begins. */
export type SnapshotFacts = {
  /** Unique, `^[A-Za-z0-9_-]{1,64}$`. */
  readonly id: string;
  readonly world: string;
  readonly incarnation: number;
  /** All cells are as they were at the end of it. */
  readonly tick: number;
  readonly clock: WorldClock;
  readonly space: SpaceFacts;
  /** Hash of the settings that cannot change while state is kept, and those settings. */
  readonly manifestHash: string;
  readonly fixed: Readonly<Record<string, string | number | boolean>>;
  /** In the order of the manifest; the first says who lives and where. */
  readonly layers: readonly LayerFacts[];
  /** Every schema that a body of the snapshot may be written in: JSON by hash. */
  readonly schemas: Readonly<Record<string, string>>;
  /** Of the product that took it: a reader refuses a newer one. */
  readonly format: number;
};

/** One (cell, layer) at the cut. */
export type CapturedCell = {
  /** Index in `SnapshotFacts.layers`. */
  readonly layer: number;
  readonly cell: number;
  /** The log position of the cut, so that a restored cell goes on from it. */
  readonly seq: number;
  readonly hash: string;
  /** Of the last commit up to the cut. */
  readonly tick: number;
  readonly idCounter: number;
  /** Ids that were given out to who asked from outside. */
  readonly asked: number;
  readonly outSeq: number;
  /** Last channel position consumed, by address of the source: pairs, ascending by address. */
  readonly cursors: readonly (readonly [address: number, seq: number])[];
  /** All rows, as `encodeCheckpoint` writes them for tick 0 and id counter 0. */
  readonly rows: Uint8Array;
  /** How many rows. */
  readonly count: number;
};

/**
 * What was on its way from, and to, one (cell, layer). Known only when all cells are, so a writer gets
 * these behind them: `put(cells)`, then `putFlights(flights)`, then `finish()`.
 */
export type CapturedFlight = Pick<CapturedCell, 'layer' | 'cell'> & {
  /** What the cell has sent that its readers had not taken in: entities and letters in flight. */
  readonly channel: readonly ChannelEntry[];
  /** Letters in its inbox that it had not taken in. */
  readonly posts: readonly { readonly id: string; readonly body: Uint8Array }[];
};

/** What is known when it is whole. */
export type SnapshotTotals = {
  readonly cells: number;
  /** In cells of the first layer, and in its channels. */
  readonly entities: number;
  readonly inFlight: number;
};
