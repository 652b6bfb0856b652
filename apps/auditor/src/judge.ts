/**
 * Feeds log entries to the rules: those of one log (track) and those of entities (custody), in
 * causal order. Reads nothing and knows no Redis: what needs a second look is left in `broken`.
 */
import { inspectCommit } from '@leasehold/protocol';
import { Custody, type EntryFacts } from './custody.ts';
import { Findings } from './findings.ts';
import { Marks } from './marks.ts';
import type { CellReading, EntryReading } from './reading.ts';
import { CellTrack } from './track.ts';

/**
 * How long an arrival may wait for its departure to be read. Both are in the store when the arrival
 * is, so one more poll is enough; this is fifty.
 */
export const WAIT_FOR_DEPARTURE_MS = 5_000;

const NOTHING: EntryFacts = { idCounter: 0, arrivals: [], births: [], deaths: [], departures: [] };

export class Judge {
  readonly findings = new Findings();
  readonly tracks: readonly CellTrack[];
  readonly custody: Custody;
  /** Cells whose next entry does not continue what was read. Nothing of them is applied. */
  readonly broken = new Set<CellTrack>();
  readonly #stalled = new Set<CellTrack>();
  readonly marks = new Marks();
  #inspected: { readonly entry: EntryReading; readonly facts: EntryFacts } | undefined;
  entries = 0;

  constructor(cells: number) {
    this.tracks = Array.from({ length: cells }, (_, cell) => new CellTrack(cell));
    this.custody = new Custody(this.tracks, this.findings);
  }

  track(cell: number): CellTrack {
    return this.tracks[cell] as CellTrack;
  }

  get isWaiting(): boolean {
    return this.#stalled.size > 0;
  }

  feed(cell: number, entries: readonly EntryReading[], nowMs: number): void {
    const track = this.track(cell);
    track.backlog.push(...entries);
    if (this.#drain(track, nowMs)) this.#wake(nowMs);
  }

  /** Goes on after a look at what broke the log: the entry is taken as it is. */
  takeBroken(track: CellTrack, nowMs: number): void {
    const entry = track.break?.entry;
    if (entry === undefined) return;
    this.forgetBreak(track);
    track.seq = entry.seq - 1;
    track.hash = entry.prevHash;
    if (this.#drain(track, nowMs)) this.#wake(nowMs);
  }

  forgetBreak(track: CellTrack): void {
    track.break = undefined;
    this.broken.delete(track);
  }

  /** A cell was read anew: nothing waits for it or is awaited by what was read before. */
  forgetBacklog(track: CellTrack): void {
    this.forgetBreak(track);
    this.#stalled.delete(track);
  }

  /** Goes on from a reading of the whole cell. */
  begin(track: CellTrack, reading: CellReading, ids: ReadonlySet<number>): void {
    this.forgetBacklog(track);
    track.restart(reading.meta, new Set(ids));
    track.checkEpochs(reading.entries, this.findings);
  }

  wake(nowMs: number): void {
    this.#wake(nowMs);
  }

  /**
   * Arrivals that waited too long for their departure are taken as they are, and said. A cell that
   * waits for another waiting cell gets more time, or one fault would be reported by all behind it.
   */
  expire(nowMs: number, patienceMs = WAIT_FOR_DEPARTURE_MS): void {
    const late = [...this.#stalled]
      .filter((track) => nowMs - track.stalledSinceMs >= patienceMs)
      .sort((a, b) => a.stalledSinceMs - b.stalledSinceMs)[0];
    if (late === undefined) return;
    this.#stalled.delete(late);
    this.#applyNext(late, late.backlog[0] as EntryReading);
    late.stalledSinceMs = 0;
    this.#drain(late, nowMs);
    this.#wake(nowMs);
    for (const track of this.#stalled) track.stalledSinceMs = nowMs;
  }

  /** Remembers how far everything had been read, before what the store has now is compared. */
  markAll(): void {
    for (const { cell, lastSeen } of this.tracks) this.marks.put(cell, lastSeen.seq, lastSeen.hash);
  }

  /**
   * Another server answers: its logs must go on as they were read, but a lease that was seen
   * granted on the old one may be lost with it. What was read ahead is read again.
   */
  forgetServer(): void {
    this.markAll();
    for (const track of this.tracks) {
      this.forgetBacklog(track);
      track.forgetServer();
    }
  }

  /** Applies what can be applied. True when something was. */
  #drain(track: CellTrack, nowMs: number): boolean {
    if (track.break !== undefined) return false;
    const before = track.seq;
    for (;;) {
      const entry = track.backlog[0];
      if (entry === undefined) break;
      if (entry.seq !== track.seq + 1 || entry.prevHash !== track.hash) {
        track.break = { entry };
        this.broken.add(track);
        break;
      }
      if (this.custody.mustWait(this.#factsOf(track, entry, false))) {
        if (!this.#stalled.has(track)) track.stalledSinceMs = nowMs;
        this.#stalled.add(track);
        return track.seq !== before;
      }
      this.#applyNext(track, entry);
    }
    this.#stalled.delete(track);
    return track.seq !== before;
  }

  #applyNext(track: CellTrack, entry: EntryReading): void {
    track.backlog.shift();
    track.checkEntry(entry, this.findings);
    const facts = this.#factsOf(track, entry, true);
    this.marks.pass(track.cell, track.seq, track.hash);
    this.custody.apply(track, entry.seq, facts);
    track.advance(entry, facts.idCounter, this.findings);
    this.marks.pass(track.cell, entry.seq, entry.hash);
    this.entries++;
  }

  #factsOf(track: CellTrack, entry: EntryReading, isSaid: boolean): EntryFacts {
    // Asked for twice in a row, to see whether the entry must wait and to apply it.
    if (this.#inspected?.entry === entry) return this.#inspected.facts;
    let facts: EntryFacts = { ...NOTHING, idCounter: track.idCounter };
    try {
      facts = inspectCommit(entry.body);
    } catch (error) {
      const message = `entry cannot be decoded: ${error instanceof Error ? error.message : error}`;
      if (isSaid) this.findings.violation('L3', track.cell, message, { seq: entry.seq });
      return facts;
    }
    this.#inspected = { entry, facts };
    return facts;
  }

  #wake(nowMs: number): void {
    let hasMoved = true;
    while (hasMoved && this.#stalled.size > 0) {
      hasMoved = false;
      for (const track of [...this.#stalled]) {
        if (this.#drain(track, nowMs)) hasMoved = true;
      }
    }
  }
}
