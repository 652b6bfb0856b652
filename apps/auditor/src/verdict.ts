/** What the auditor says, line by line as JSON: the only thing others know of it. */
import type { BlindSpot, Rollback, Violation } from './findings.ts';

export type Ready = {
  readonly type: 'ready';
  readonly world: string;
  readonly incarnation: number;
  readonly cells: number;
  readonly entities: number;
  readonly tick: number;
};

export type Status = {
  readonly type: 'status';
  readonly alive: number;
  readonly created: number;
  readonly deleted: number;
  readonly inFlight: number;
  readonly violations: number;
  readonly blindSpots: number;
  readonly rollbacks: number;
  /** The highest tick read. */
  readonly tick: number;
  /** The lowest tick of any cell; 0 while one was never written. */
  readonly tickMin: number;
  readonly entries: number;
  readonly isConnected: boolean;
};

export type Verdict = {
  readonly type: 'verdict';
  readonly world: string;
  readonly incarnation: number;
  /** False when the world still moved: then lost and duplicated are what was seen while following. */
  readonly isAtRest: boolean;
  readonly entitiesStart: number;
  readonly entitiesEnd: number;
  readonly created: number;
  readonly deleted: number;
  readonly lost: number;
  /** Some of them, and where each was last. */
  readonly lostEntities: readonly { readonly id: number; readonly last: string }[];
  readonly duplicated: number;
  readonly duplicatedEntities: readonly {
    readonly id: number;
    readonly places: readonly string[];
  }[];
  /** Entities gone from cells while their logs could not be read: dead, or lost. */
  readonly unaccounted: number;
  readonly inFlight: number;
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly blindSpots: readonly BlindSpot[];
  readonly blindSpotCount: number;
  readonly rollbacks: readonly Rollback[];
  /** Of the cells that went back: how many came to the same history again, and how many did not. */
  readonly healedCells: number;
  readonly rewrittenCells: number;
  readonly tickMin: number;
  readonly tickMax: number;
  /** Null unless the world is at rest and every cell is at one tick. */
  readonly stateHash: string | null;
  /** What Redis uses, for everything in it. */
  readonly memoryBytes: number;
  readonly checked: {
    readonly entries: number;
    readonly checkpoints: number;
    readonly channelEntries: number;
    /** Channel entries that their reader had consumed and their writer dropped before the look. */
    readonly channelEntriesUnseen: number;
    readonly metas: number;
  };
};

export type Message = Ready | Status | Verdict;
