/** What the auditor says, line by line as JSON: the only thing others know of it. */

export type AuditRule = 'L1' | 'L2' | 'L3' | 'E1' | 'E2';

export type Violation = {
  readonly rule: AuditRule;
  readonly cell: number;
  /** Log position at which it was seen; absent when it is not of one entry. */
  readonly seq?: number;
  readonly message: string;
  /** Some of the entities concerned. */
  readonly ids?: readonly number[];
};

/** A stretch of a log that was trimmed before the auditor read it. */
export type BlindSpot = { readonly cell: number; readonly fromSeq: number; readonly toSeq: number };

/** A cell that went back and was not seen to reach again what had been read of it. */
export type UnhealedCell = {
  readonly cell: number;
  /** How far it had been read before, and where it ends now; beyond it: it passed unseen. */
  readonly seq: number;
  readonly endSeq: number;
};

/** The store went back in time, as after a failover or a restart. */
export type Rollback = {
  /** Cells whose log ended earlier than what had been read, or went on differently. */
  readonly cells: number;
  readonly firstCell: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly entitiesBefore: number;
  readonly entitiesAfter: number;
};

export type AuditReady = {
  readonly type: 'ready';
  readonly world: string;
  readonly incarnation: number;
  readonly cells: number;
  readonly entities: number;
  readonly tick: number;
};

export type AuditStatus = {
  readonly type: 'status';
  readonly alive: number;
  readonly created: number;
  readonly deleted: number;
  /** Departed and not yet arrived: on their way, and not lost. */
  readonly inFlight: number;
  /** Seen to be gone for good: their way was dropped or never written, and they are nowhere. */
  readonly lost: number;
  /** Seen in two places at once, ever. */
  readonly duplicated: number;
  /** Gone from a cell while its log was not seen: nobody can say whether they died, left or are lost. */
  readonly unaccounted: number;
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

export type AuditVerdict = {
  readonly type: 'verdict';
  readonly world: string;
  readonly incarnation: number;
  /**
   * False when the world still moved: then lost and duplicated are what was seen while following.
   */
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
  /**
   * Who is to exist in the layer once all that waits for it in channels has been taken: those who are
   * there, with the newborn of other layers, without those of whom there is word that they died.
   */
  readonly existing: { readonly count: number; readonly hash: string };
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly blindSpots: readonly BlindSpot[];
  readonly blindSpotCount: number;
  readonly rollbacks: readonly Rollback[];
  /** Of the cells that went back: how many came to the same history again, and how many did not. */
  readonly healedCells: number;
  readonly rewrittenCells: number;
  /** Neither: ticks of them that had been committed are missing. Some of them are listed. */
  readonly unhealedCells: number;
  readonly unhealed: readonly UnhealedCell[];
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

export type AuditMessage = AuditReady | AuditStatus | AuditVerdict;
