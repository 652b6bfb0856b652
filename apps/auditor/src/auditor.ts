/**
 * Follows all cells of a world and brings what it reads before the judge. It never writes to Redis
 * and asks no pod: what it cannot read there it says it has not seen.
 */
import type { AuditReady, AuditStatus, AuditVerdict, Violation } from '@leasehold/protocol';
import { type Census, CensusTaker } from './census.ts';
import { compareChannel, idsOf } from './channel.ts';
import { placeName } from './custody.ts';
import { type Existing, ExistingTaker } from './existing.ts';
import { CELLS_MAX, IDS_MAX } from './findings.ts';
import { Judge } from './judge.ts';
import type { CellReading, MetaReading, Reading } from './reading.ts';
import { replay, Schemas } from './replay.ts';
import type { CellTrack } from './track.ts';

/** All meta hashes are read once in this many rounds, a share of them in each. */
const META_ROUNDS = 10;
/** Cells replayed from checkpoint to head in one sample: a few milliseconds each. */
const SAMPLE_CELLS = 4;
const SAMPLE_EVERY_MS = 1_000;
/** Cells held in memory at once when all are read whole. */
const GROUP_CELLS = 16;
/** Rounds in which a world that has stopped must be read to its end. */
const DRY_ROUNDS_MAX = 10_000;
/** A census of a world that moves is tried again this often before its answer is "it moves". */
const CENSUS_TRIES_MAX = 3;

/** A store that went back is counted anew; kept until that came to its end. */
type Recount = {
  /** Where it was noticed, how far its log had been read, and who was alive then. */
  readonly track: CellTrack;
  readonly fromSeq: number;
  readonly entitiesBefore: number;
  readonly back: Set<number>;
  runId: string;
  isStale: boolean;
};

export type Timer = { nowMs(): number; sleep(ms: number): Promise<void> };

export class Auditor {
  readonly #reading: Reading;
  readonly #timer: Timer;
  readonly #judge: Judge;
  readonly #schemas = new Schemas();
  readonly #allCells: readonly number[];
  /** The server whose logs everything here was read from, or is known to go on from. */
  #runId = '';
  #recounting: Recount | undefined;
  #entitiesStart = 0;
  #round = 0;
  #sampleAt = 0;
  #sampledAtMs = 0;
  #checkpoints = 0;
  #channelEntries = 0;
  #channelUnseen = 0;
  #metas = 0;
  isConnected = true;

  constructor(reading: Reading, timer: Timer) {
    this.#reading = reading;
    this.#timer = timer;
    this.#judge = new Judge(reading.cells);
    this.#allCells = Array.from({ length: reading.cells }, (_, cell) => cell);
  }

  /** Counts the world as it stands; it may be moving. */
  async begin(): Promise<AuditReady> {
    await this.#reading.checkWorld();
    this.#runId = await this.#reading.runId();
    await this.#countAll();
    this.#judge.custody.created = 0;
    this.#judge.custody.deleted = 0;
    this.#judge.custody.settle();
    this.#entitiesStart = this.#judge.custody.alive;
    const { world, incarnation } = this.#reading.facts;
    const { cells } = this.#reading;
    const entities = this.#entitiesStart;
    return { type: 'ready', world, incarnation, cells, entities, tick: this.#tickMax() };
  }

  /** One look at everything. Returns how many entries were new: the caller sets the pace by it. */
  async round(): Promise<number> {
    this.#round++;
    await this.#checkServer();
    const count = await this.#readNews();
    await this.#compareChannels();
    await this.#readMetas();
    const nowMs = this.#timer.nowMs();
    if (nowMs - this.#sampledAtMs >= SAMPLE_EVERY_MS) {
      this.#sampledAtMs = nowMs;
      await this.#sample();
    }
    this.#judge.expire(nowMs);
    return count;
  }

  status(): AuditStatus {
    const { custody, findings, entries } = this.#judge;
    return {
      type: 'status',
      alive: custody.alive,
      created: custody.created,
      deleted: custody.deleted,
      inFlight: custody.inFlight,
      lost: custody.missing.size,
      duplicated: custody.doubled.size,
      unaccounted: custody.vanished.size,
      violations: findings.violationCount,
      blindSpots: findings.blindSpotCount,
      rollbacks: findings.rollbacks.length,
      tick: this.#tickMax(),
      tickMin: this.#judge.tracks.reduce((low, { tick }) => Math.min(low, tick), this.#tickMax()),
      entries,
      isConnected: this.isConnected,
    };
  }

  /**
   * The whole of it: reads to the end, counts from Redis anew, and compares with what was followed.
   */
  async verdict(): Promise<AuditVerdict> {
    const nowhere = new Map<number, string>();
    const duplicated: { id: number; places: readonly string[] }[] = [];
    const { custody, findings } = this.#judge;
    let census: (Census & { readonly existing: Existing }) | undefined;
    for (let tries = 0; tries < CENSUS_TRIES_MAX && census === undefined; tries++) {
      await this.#checkServer();
      if (this.#recounting !== undefined) continue;
      await this.#readToEnd();
      const found = await this.#census();
      census = found && { ...found, existing: await this.#existing(found) };
    }
    if (census !== undefined) {
      for (const { cell, message } of census.faults) findings.violation('L3', cell, message);
      this.#checkpoints += census.checkpointsCompared;
      for (const [id, place] of custody.places) {
        if (!census.places.has(id)) nowhere.set(id, placeName(place));
      }
      for (const [id, places] of census.places) {
        if (places.length > 1) duplicated.push({ id, places });
        if (!custody.places.has(id) && !custody.vanished.delete(id)) {
          findings.violation('E2', -1, `an entity is in ${places[0]} that died or was never born`, {
            ids: [id],
          });
        }
      }
    }
    custody.checkBalance();
    const memoryBytes = await this.#reading.memoryBytes();
    return { ...this.#verdictOf(census, nowhere, duplicated), memoryBytes };
  }

  #verdictOf(
    census: (Census & { readonly existing: Existing }) | undefined,
    nowhere: ReadonlyMap<number, string>,
    duplicated: readonly { readonly id: number; readonly places: readonly string[] }[],
  ): Omit<AuditVerdict, 'memoryBytes'> {
    const { custody, findings, marks, tracks } = this.#judge;
    const { world, incarnation } = this.#reading.facts;
    const unhealed = marks.unhealed((cell) => this.#judge.track(cell).seq);
    const ticks = tracks.filter(({ seq }) => seq > 0).map(({ tick }) => tick);
    const lost = [...nowhere].slice(0, IDS_MAX).map(([id, last]) => ({ id, last }));
    return {
      type: 'verdict',
      world,
      incarnation,
      isAtRest: census !== undefined,
      entitiesStart: this.#entitiesStart,
      entitiesEnd: census === undefined ? custody.alive : census.places.size,
      created: custody.created,
      deleted: custody.deleted,
      lost: nowhere.size,
      lostEntities: lost,
      duplicated: duplicated.length,
      duplicatedEntities: duplicated.slice(0, IDS_MAX),
      unaccounted: custody.vanished.size,
      inFlight: census?.inFlight ?? custody.inFlight,
      existing: census?.existing ?? { count: 0, hash: '' },
      violations: findings.violations as readonly Violation[],
      violationCount: findings.violationCount,
      blindSpots: findings.blindSpots,
      blindSpotCount: findings.blindSpotCount,
      rollbacks: findings.rollbacks,
      healedCells: marks.healedCells,
      rewrittenCells: marks.rewrittenCells,
      unhealedCells: unhealed.length,
      unhealed: unhealed.slice(0, CELLS_MAX),
      tickMin: census?.tickMin ?? ticks.reduce((a, b) => Math.min(a, b), this.#tickMax()),
      tickMax: census?.tickMax ?? this.#tickMax(),
      stateHash: census?.stateHash ?? null,
      checked: {
        entries: this.#judge.entries,
        checkpoints: this.#checkpoints,
        channelEntries: this.#channelEntries,
        channelEntriesUnseen: this.#channelUnseen,
        metas: this.#metas,
      },
    };
  }

  /** As far as the channels of the other layers tell. */
  async #existing({ places, own, cursors }: Census): Promise<Existing> {
    const { layer, layers = [] } = this.#reading.facts;
    const taker = new ExistingTaker(Math.max(0, layers.indexOf(layer)));
    if (layers.length > 1) {
      for (const entry of own) taker.addOwn(entry);
      await this.#reading.posts((body) => taker.addPost(body));
      for (const [index, other] of layers.entries()) {
        if (other === layer) continue;
        await this.#reading.channelsOf(other, (cell, entries) => {
          for (const entry of entries) {
            taker.addForeign({ layer: index, cell }, entry, (to) => cursors.get(to));
          }
        });
      }
    }
    return taker.finish(places.keys());
  }

  #tickMax(): number {
    return this.#judge.tracks.reduce((tick, track) => Math.max(tick, track.tick), 0);
  }

  async #readNews(): Promise<number> {
    const positions = this.#judge.tracks
      .filter((track) => track.break === undefined)
      .map((track) => ({ cell: track.cell, seq: track.readSeq }));
    let count = 0;
    for (const { cell, entries } of await this.#reading.news(positions)) {
      count += entries.length;
      this.#judge.feed(cell, entries, this.#timer.nowMs());
    }
    for (const track of [...this.#judge.broken]) await this.#resolveBreak(track);
    return count;
  }

  /** The next entry does not continue what was read: a trim, a rollback, or a broken log? */
  async #resolveBreak(track: CellTrack): Promise<void> {
    const entry = track.break?.entry;
    if (entry === undefined) return;
    const { cell, seq } = track;
    const findings = this.#judge.findings;
    const own = seq === 0 ? undefined : await this.#reading.entryAt(cell, seq);
    if (own !== undefined && own.hash !== track.hash) return this.#recount(track);
    if (entry.seq === seq + 1) {
      const message = 'entry does not name the hash of the entry before it';
      findings.violation('L3', cell, message, { seq: entry.seq });
      return this.#judge.takeBroken(track, this.#timer.nowMs());
    }
    if (entry.seq <= seq) return this.#recount(track);
    const first = await this.#reading.firstSeq(cell);
    if (own === undefined && first !== undefined && first > seq + 1) {
      findings.blindSpot({ cell, fromSeq: seq + 1, toSeq: first - 1 });
    } else {
      const message = `entry ${seq} is followed by entry ${entry.seq}`;
      findings.violation('L3', cell, message, { seq: entry.seq });
    }
    await this.#rereadCell(track);
  }

  /** After a blind spot or a gap: the cell as it is now, differences taken over. */
  async #rereadCell(track: CellTrack): Promise<void> {
    const [reading] = await this.#reading.wholeCells([track.cell]);
    if (reading === undefined) return;
    const before = track.ids;
    const state = await this.#replay(reading);
    track.blindOutTo = reading.meta.outSeq;
    this.#judge.begin(track, reading, state.ids);
    this.#judge.marks.meet(reading);
    this.#judge.custody.reconcile(track, before);
    for (const { to, seq, body } of reading.out) {
      this.#judge.custody.noticeFlight(track.cell, to, { seq, ids: idsOf(body) });
    }
    this.#judge.wake(this.#timer.nowMs());
  }

  async #compareChannels(): Promise<void> {
    const writers = this.#judge.tracks.filter(({ unseenOut }) => unseenOut.length > 0);
    const positions = writers.map(({ cell, outSeenTo }) => ({ cell, seq: outSeenTo }));
    for (const { cell, entries } of await this.#reading.outNews(positions)) {
      this.#channelEntries += compareChannel(this.#judge.track(cell), entries, this.#judge);
    }
    // What was not found is consumed and trimmed, or was never written; then it is lost at rest.
    for (const track of writers) {
      this.#channelUnseen += track.unseenOut.length;
      track.unseenOut = [];
      track.outSeenTo = track.outSeq;
    }
  }

  async #readMetas(): Promise<void> {
    const share = this.#round % META_ROUNDS;
    const cells = this.#allCells.filter((cell) => cell % META_ROUNDS === share);
    await this.#readMetasOf(cells);
  }

  async #readMetasOf(cells: readonly number[]): Promise<void> {
    const metas = await this.#reading.metas(cells);
    for (const [i, meta] of metas.entries()) {
      const track = this.#judge.track(cells[i] as number);
      if (track.break !== undefined) continue;
      this.#metas++;
      if (meta.isAsleep && meta.seq > track.readSeq) await this.#meetAsleep(track, meta);
      else if (!track.expectMeta(meta, this.#judge.findings)) return this.#recount(track);
    }
  }

  /** Its log has left with it: what of that was not read is gone. */
  async #meetAsleep(track: CellTrack, { seq }: MetaReading): Promise<void> {
    this.#judge.findings.blindSpot({ cell: track.cell, fromSeq: track.readSeq + 1, toSeq: seq });
    await this.#rereadCell(track);
  }

  /**
   * Before anything is judged: is it the same server, and was everything counted to the end? Of
   * another one nothing is expected but the logs as they were read; only then is it believed.
   */
  async #checkServer(): Promise<void> {
    if (this.#recounting !== undefined) return this.#countAgain(this.#recounting);
    const runId = await this.#reading.runId();
    if (runId === this.#runId) return;
    const { marks, tracks } = this.#judge;
    const ends = tracks.map(({ lastSeen }) => lastSeen.seq);
    this.#judge.forgetServer();
    const metas = await this.#reading.metas(this.#allCells);
    for (const [cell, { seq, hash }] of metas.entries()) {
      const end = ends[cell] ?? 0;
      const entry = seq > end && end > 0 ? await this.#reading.entryAt(cell, end) : undefined;
      const isSame = entry === undefined || marks.pass(cell, end, entry.hash);
      if (marks.end(cell, seq) || !marks.pass(cell, seq, hash) || !isSame) {
        return this.#recount(this.#judge.track(cell));
      }
    }
    this.#runId = runId;
  }

  /**
   * The store went back in time. It may after a failover or a restart, and then everything is
   * counted anew from what survived; a store that never restarted may not (L3).
   */
  async #recount(track: CellTrack): Promise<void> {
    const runId = await this.#reading.runId();
    const fromSeq = track.lastSeen.seq;
    if (runId !== (this.#recounting?.runId ?? this.#runId)) {
      this.#judge.forgetServer();
    } else {
      const message = 'the log went back, though the store was not restarted';
      this.#judge.findings.violation('L3', track.cell, message, { seq: track.seq });
      this.#judge.markAll();
    }
    if (this.#recounting !== undefined) {
      // Back once more while all is being counted: what was read of it so far is worth nothing.
      this.#recounting.isStale = true;
      return;
    }
    const entitiesBefore = this.#judge.custody.alive;
    const back = new Set([track.cell]);
    this.#recounting = { track, runId, fromSeq, entitiesBefore, back, isStale: false };
    await this.#countAgain(this.#recounting);
  }

  /** Until it comes to its end nothing may be judged; a connection that breaks has it done again. */
  async #countAgain(recount: Recount): Promise<void> {
    const { custody, findings } = this.#judge;
    const runId = await this.#reading.runId();
    if (runId !== recount.runId) this.#judge.forgetServer();
    recount.runId = runId;
    recount.isStale = false;
    await this.#countAll(recount);
    if (recount.isStale) return;
    custody.settle();
    const { track, fromSeq, entitiesBefore, back } = recount;
    findings.rollback({
      cells: back.size,
      firstCell: track.cell,
      fromSeq,
      toSeq: track.seq,
      entitiesBefore,
      entitiesAfter: custody.alive,
    });
    this.#recounting = undefined;
    this.#runId = runId;
  }

  /**
   * Reads all cells whole, and follows them until every arrival's source has been read that far.
   */
  async #countAll(recount?: Recount): Promise<void> {
    const { custody, tracks, findings, marks } = this.#judge;
    custody.unsettle();
    const flights: { from: number; to: number; seq: number; ids: number[] }[] = [];
    for (let at = 0; at < this.#allCells.length; at += GROUP_CELLS) {
      const cells = this.#allCells.slice(at, at + GROUP_CELLS);
      for (const reading of await this.#reading.wholeCells(cells)) {
        const { cell, meta } = reading;
        const track = this.#judge.track(cell);
        const state = await this.#replay(reading);
        const met = marks.meet(reading);
        if (met === 'back') recount?.back.add(cell);
        const toSeq = (reading.entries[0]?.seq ?? meta.seq + 1) - 1;
        if (met === 'unseen') findings.blindSpot({ cell, fromSeq: track.seq + 1, toSeq });
        this.#judge.begin(track, reading, state.ids);
        track.outGoneTo = (reading.out[0]?.seq ?? meta.outSeq + 1) - 1;
        for (const { to, seq, body } of reading.out) {
          flights.push({ from: cell, to, seq, ids: idsOf(body) });
        }
      }
    }
    for (const { from, to, seq, ids } of flights) custody.addFlight(from, to, { seq, ids });
    const targets = tracks.map((track) => new Map(track.consumed));
    const isBehind = (): boolean =>
      this.#judge.isWaiting ||
      targets.some((cursors) =>
        [...cursors].some(([from, seq]) => (tracks[from]?.outSeq ?? seq) < seq),
      );
    // Once at least: what a source had dropped when it was read, its readers have consumed by now.
    for (let tries = 0; tries < 50; tries++) {
      await this.#readNews();
      if (recount?.isStale === true) return;
      if (!isBehind()) break;
      await this.#timer.sleep(20);
    }
    for (const [cell, cursors] of targets.entries()) {
      for (const [from, seq] of cursors) {
        if ((tracks[from]?.outSeq ?? seq) >= seq) continue;
        const message = `the cursor for cell ${from} is at ${seq}, beyond its channel`;
        findings.violation('E1', cell, message);
      }
    }
  }

  async #replay(reading: CellReading): Promise<{ readonly ids: ReadonlySet<number> }> {
    let state = replay(reading, this.#schemas);
    if (state.faults.some((fault) => fault.includes('does not keep schema'))) {
      this.#schemas.learn(await this.#reading.schemas());
      state = replay(reading, this.#schemas);
    }
    for (const message of state.faults) {
      this.#judge.findings.violation('L3', reading.cell, message, { seq: reading.meta.seq });
    }
    this.#checkpoints += state.checkpointsCompared;
    return state;
  }

  /** A few cells from checkpoint to head, and their entities against those that were followed. */
  async #sample(): Promise<void> {
    const written: number[] = [];
    for (let i = 0; i < this.#allCells.length && written.length < SAMPLE_CELLS; i++) {
      const cell = this.#sampleAt++ % this.#allCells.length;
      if (this.#judge.track(cell).seq > 0) written.push(cell);
    }
    for (const reading of await this.#reading.wholeCells(written)) {
      const track = this.#judge.track(reading.cell);
      if (track.break !== undefined || reading.meta.seq < track.seq) continue;
      const { ids } = await this.#replay(reading);
      track.expectIds({ seq: reading.meta.seq, ids }, this.#judge.findings);
    }
  }

  async #readToEnd(): Promise<void> {
    for (let rounds = 0; rounds < DRY_ROUNDS_MAX; rounds++) {
      const count = await this.#readNews();
      await this.#compareChannels();
      if (count > 0 && rounds < DRY_ROUNDS_MAX / 2) continue;
      if (!this.#judge.isWaiting) break;
      // The store is read to its end: nobody will write the departures that are awaited.
      if (count === 0) this.#judge.expire(this.#timer.nowMs(), 0);
    }
    await this.#readMetasOf(this.#allCells);
  }

  /** Counts all places from Redis; undefined when the world moved meanwhile. */
  async #census(): Promise<Census | undefined> {
    const taker = new CensusTaker(this.#schemas);
    let isAtRest = true;
    for (let at = 0; at < this.#allCells.length; at += GROUP_CELLS) {
      const cells = this.#allCells.slice(at, at + GROUP_CELLS);
      for (const reading of await this.#reading.wholeCells(cells)) {
        const track = this.#judge.track(reading.cell);
        if (reading.meta.seq !== track.seq) isAtRest = false;
        const { ids } = taker.add(reading);
        track.expectIds({ seq: reading.meta.seq, ids }, this.#judge.findings);
      }
    }
    const count = await this.#readNews();
    const isCounted = this.#recounting === undefined;
    return isAtRest && isCounted && count === 0 ? taker.finish() : undefined;
  }
}
