/**
 * One cell as the auditor has followed it, and the rules that one log alone must keep: epochs
 * (L1, L2), the chain (L3), and that the meta hash says what the log says.
 */
import { type AuditRule, entryHash } from '@leasehold/protocol';
import type { Findings } from './findings.ts';
import type { EntryReading, MetaReading } from './reading.ts';

/** Readings of a meta hash kept until the log has been followed up to them. */
const EXPECTED_MAX = 8;
/** Leases remembered per cell, to see a nonce come back. */
const LEASES_MAX = 16;

export type IdsExpected = { readonly seq: number; readonly ids: ReadonlySet<number> };

/** Why a log cannot be followed further without a look at what is behind it. */
export type Break = { readonly entry: EntryReading };

export class CellTrack {
  readonly cell: number;
  /** The last entry applied. */
  seq = 0;
  hash = '';
  tick = 0;
  epoch = 0;
  idCounter = 0;
  outSeq = 0;
  ids = new Set<number>();
  /** Last channel position this cell consumed, by source cell. */
  consumed = new Map<number, number>();
  /** The highest counter of those whom another layer bore here, by the address of its cell. */
  readonly borneBy = new Map<number, number>();
  /** Entries read and not applied yet: they wait for what another cell's log must say first. */
  backlog: EntryReading[] = [];
  break: Break | undefined;
  stalledSinceMs = 0;
  /** Channel positions up to here may have been written unseen; 0 = all were seen. */
  blindOutTo = 0;
  /**
   * Channel entries up to here had been dropped when the cell was read: their readers have them.
   */
  outGoneTo = 0;
  /** Channel entries up to here were compared with the departures that wrote them. */
  outSeenTo = 0;
  /** Departures whose channel entry is still to be compared. */
  unseenOut: { readonly to: number; readonly seq: number; readonly ids: readonly number[] }[] = [];
  /** No entry from here on may have an older epoch: the lease was seen granted. */
  epochFloor = 0;
  #expected: MetaReading[] = [];
  #idsExpected: IdsExpected[] = [];
  #leases: { readonly epoch: number; readonly nonce: string }[] = [];

  constructor(cell: number) {
    this.cell = cell;
  }

  /** The last entry read, applied or not. */
  get readSeq(): number {
    return this.backlog.at(-1)?.seq ?? this.seq;
  }

  /** How far the log came: read without a break, applied or not, or said by the meta hash. */
  get lastSeen(): { readonly seq: number; readonly hash: string } {
    let { seq, hash } = this;
    for (const entry of this.backlog) {
      if (entry.seq !== seq + 1 || entry.prevHash !== hash) break;
      [seq, hash] = [entry.seq, entry.hash];
    }
    for (const meta of this.#expected) if (meta.seq > seq) ({ seq, hash } = meta);
    return { seq, hash };
  }

  /** Another server answers: what its predecessor alone said, leases and heads, binds nobody. */
  forgetServer(): void {
    this.backlog = [];
    this.stalledSinceMs = 0;
    this.epochFloor = 0;
    this.#expected = [];
    this.#idsExpected = [];
    this.#leases = [];
  }

  /**
   * L2 within a log that was read whole; the next entry must continue it. After `restart`.
   */
  checkEpochs(entries: readonly EntryReading[], findings: Findings): void {
    for (const { seq, epoch } of entries) this.#checkEpoch(seq, epoch, findings);
  }

  #checkEpoch(seq: number, text: string, findings: Findings): boolean {
    const epoch = Number(text);
    const isFallen = epoch < this.epoch;
    if (isFallen) {
      const message = `epoch fell from ${this.epoch} to ${text}`;
      findings.violation('L2', this.cell, message, { seq });
    }
    this.epoch = Math.max(this.epoch, epoch);
    return !isFallen;
  }

  /** Begins anew at a reading of the whole cell. Leases are remembered: nonces stay used. */
  restart(meta: MetaReading, ids: Set<number>): void {
    this.seq = meta.seq;
    this.hash = meta.hash;
    this.tick = meta.tick;
    this.epoch = 0;
    this.idCounter = meta.idCounter;
    this.outSeq = meta.outSeq;
    this.outSeenTo = meta.outSeq;
    this.outGoneTo = 0;
    this.unseenOut = [];
    this.ids = ids;
    this.consumed = new Map(meta.cursors);
    this.backlog = [];
    this.break = undefined;
    this.stalledSinceMs = 0;
    this.epochFloor = 0;
    this.#expected = [];
    this.#idsExpected = [];
  }

  /** L1, L2, L3 of the next entry; the caller has seen that it continues the log. */
  checkEntry(entry: EntryReading, findings: Findings): void {
    const { cell } = this;
    const at = { seq: entry.seq };
    if (entry.version !== '1') {
      findings.violation('L3', cell, `entry of unknown format version ${entry.version}`, at);
    }
    const hash = entryHash(entry.prevHash, entry.seq, entry.epoch, entry.tick, entry.body);
    if (hash !== entry.hash) {
      findings.violation('L3', cell, `entry says hash ${entry.hash}, its content is ${hash}`, at);
    }
    if (entry.seq > 1 && entry.tick <= this.tick) {
      findings.violation('L3', cell, `tick ${entry.tick} follows tick ${this.tick}`, at);
    }
    const epoch = Number(entry.epoch);
    if (this.#checkEpoch(entry.seq, entry.epoch, findings) && epoch < this.epochFloor) {
      const message = `epoch ${entry.epoch} wrote after epoch ${this.epochFloor} was granted`;
      findings.violation('L1', cell, message, at);
    }
    const lease = this.#expected.find((meta) => meta.seq >= entry.seq);
    if (lease !== undefined && epoch > Number(lease.epoch)) {
      const message = `epoch ${entry.epoch} is above that of the lease, ${lease.epoch}`;
      findings.violation('L1', cell, message, at);
    }
  }

  /** Moves to the entry. What it did to entities is the custody's part, done before. */
  advance(entry: EntryReading, idCounter: number, findings: Findings): void {
    this.seq = entry.seq;
    this.hash = entry.hash;
    this.tick = entry.tick;
    if (idCounter < this.idCounter) {
      const message = `id counter fell from ${this.idCounter} to ${idCounter}`;
      findings.violation('E2', this.cell, message, { seq: entry.seq });
    }
    this.idCounter = Math.max(this.idCounter, idCounter);
    this.#settleExpectations(findings);
  }

  /**
   * Takes a reading of the meta hash, at or ahead of this track, and compares it once the log has
   * been followed exactly that far. Returns false when it is behind, or another history: then the
   * store went back.
   */
  expectMeta(meta: MetaReading, findings: Findings): boolean {
    if (meta.seq < this.seq) return false;
    if (meta.seq === this.seq && meta.hash !== this.hash) return false;
    this.#checkLease(meta, findings);
    if (this.#expected.length < EXPECTED_MAX) this.#expected.push(meta);
    this.#settleExpectations(findings);
    return true;
  }

  /** Takes the entity ids that checkpoint and log give at a position at or ahead of this track. */
  expectIds(expected: IdsExpected, findings: Findings): void {
    if (expected.seq < this.seq || this.#idsExpected.length >= EXPECTED_MAX) return;
    this.#idsExpected.push(expected);
    this.#settleExpectations(findings);
  }

  #checkLease(meta: MetaReading, findings: Findings): void {
    const epoch = Number(meta.epoch);
    // Of a cell that was never written nothing is kept when it sleeps: there is no log to fence.
    if (meta.seq === 0 && epoch === 0) this.#leases = [];
    const last = this.#leases.at(-1);
    if (last !== undefined && epoch < last.epoch) {
      findings.violation('L2', this.cell, `the lease's epoch fell from ${last.epoch} to ${epoch}`);
    }
    if (meta.nonce === '') return;
    if (last !== undefined && last.epoch === epoch && last.nonce === meta.nonce) return;
    if (this.#leases.some((lease) => lease.epoch === epoch)) {
      findings.violation('L2', this.cell, `epoch ${epoch} belongs to more than one nonce`);
    } else if (this.#leases.some((lease) => lease.nonce === meta.nonce)) {
      findings.violation('L2', this.cell, `nonce ${meta.nonce} was used for a second lease`);
    }
    this.#leases.push({ epoch, nonce: meta.nonce });
    if (this.#leases.length > LEASES_MAX) this.#leases.shift();
  }

  #settleExpectations(findings: Findings): void {
    while (this.#expected[0] !== undefined && this.#expected[0].seq <= this.seq) {
      const meta = this.#expected.shift() as MetaReading;
      if (meta.seq === this.seq) this.#compareMeta(meta, findings);
    }
    while (this.#idsExpected[0] !== undefined && this.#idsExpected[0].seq <= this.seq) {
      const expected = this.#idsExpected.shift() as IdsExpected;
      if (expected.seq === this.seq) this.#compareIds(expected.ids, findings);
    }
  }

  #compareMeta(meta: MetaReading, findings: Findings): void {
    const { cell, seq } = this;
    const say = (rule: AuditRule, message: string): void =>
      findings.violation(rule, cell, message, { seq });
    this.epochFloor = Math.max(this.epochFloor, Number(meta.epoch));
    if (this.epoch > Number(meta.epoch)) {
      say('L1', `epoch ${this.epoch} is above that of the lease, ${meta.epoch}`);
    }
    if (meta.hash !== this.hash) say('L3', `meta has hash ${meta.hash}, the log ${this.hash}`);
    if (meta.tick !== this.tick) say('L3', `meta has tick ${meta.tick}, the log ${this.tick}`);
    if (meta.idCounter !== this.idCounter) {
      say('E2', `meta has id counter ${meta.idCounter}, the log ${this.idCounter}`);
    }
    if (meta.outSeq !== this.outSeq) {
      say('E1', `meta has channel position ${meta.outSeq}, the departures ${this.outSeq}`);
    }
    for (const from of new Set([...meta.cursors.keys(), ...this.consumed.keys()])) {
      const [stored, taken] = [meta.cursors.get(from) ?? 0, this.consumed.get(from) ?? 0];
      if (stored === taken) continue;
      say('E1', `the cursor for cell ${from} is at ${stored}, the arrivals in the log at ${taken}`);
      // Said once per move, not at every reading.
      if (stored > taken) this.consumed.set(from, stored);
    }
  }

  #compareIds(ids: ReadonlySet<number>, findings: Findings): void {
    const { cell, seq } = this;
    const gone = [...this.ids].filter((id) => !ids.has(id));
    const extra = [...ids].filter((id) => !this.ids.has(id));
    if (gone.length > 0) {
      const message = `the log keeps ${gone.length} entities that checkpoint and log lack`;
      findings.violation('E1', cell, message, { seq, ids: gone });
    }
    if (extra.length > 0) {
      const message = `checkpoint and log have ${extra.length} entities that the log never brought`;
      findings.violation('E1', cell, message, { seq, ids: extra });
    }
  }
}
