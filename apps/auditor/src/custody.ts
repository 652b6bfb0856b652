/**
 * Who has which entity, followed by id through births, deaths, departures and arrivals (E1, E2).
 *
 * Logs of different cells are read at different moments. An arrival whose departure has not been
 * read yet is told to wait (`mustWait`), so that here everything happens in causal order and each
 * entity is in one place at a time.
 */

import { bearerOf, counterOf } from '@leasehold/kernel';
import { type AuditRule, layerOfAddress, OUTBOX } from '@leasehold/protocol';
import type { Findings } from './findings.ts';
import type { CellTrack } from './track.ts';

/** What one entry does to entities: `inspectCommit` of its body. */
export type EntryFacts = {
  readonly idCounter: number;
  readonly arrivals: readonly { from: number; seq: number; ids: ArrayLike<number> }[];
  readonly births: ArrayLike<number>;
  readonly deaths: ArrayLike<number>;
  readonly departures: readonly { to: number; seq: number; ids: ArrayLike<number> }[];
};

export type Flight = { readonly seq: number; readonly ids: readonly number[] };

const OUTSIDE_BIT = 2 ** 52;
const LANE = 2 ** 20;
/** In a world of several layers the counter of an id has the layer in its highest four bits. */
const COUNTERS = 2 ** 28;

/** In a place map a cell is its number, and a flight from cell c is −1 − c. */
const inFlightFrom = (cell: number): number => -1 - cell;

export function placeName(place: number | undefined): string {
  if (place === undefined) return 'nowhere';
  return place >= 0 ? `cell ${place}` : `the channel of cell ${-1 - place}`;
}

export class Custody {
  readonly places = new Map<number, number>();
  /** Gone from a cell while it was not watched: died, left, or lost; nobody can say. */
  readonly vanished = new Map<number, number>();
  /**
   * Seen to be gone for good, with the cell they left: nobody can take them in any more. Whom a
   * cell forgot without a word is a violation at its next sample, and counted only at the end.
   */
  readonly missing = new Map<number, number>();
  /**
   * Found in a cell that was read anew, or seen to leave one, while other logs still have to tell
   * how they came there. What those tell is the past: it moves nobody and is no violation.
   */
  readonly #ahead = new Set<number>();
  /** Seen in two places at once, whatever became of them. */
  readonly doubled = new Set<number>();
  created = 0;
  deleted = 0;
  /** Alive plus vanished must be this plus created − deleted. */
  #base = 0;
  #isSettled = false;
  readonly #tracks: readonly CellTrack[];
  readonly #findings: Findings;
  /** Outstanding departures by (source, destination), in order. */
  readonly #lanes = new Map<number, Flight[]>();

  constructor(tracks: readonly CellTrack[], findings: Findings) {
    this.#tracks = tracks;
    this.#findings = findings;
  }

  get alive(): number {
    return this.places.size;
  }

  get inFlight(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) for (const flight of lane) sum += flight.ids.length;
    return sum;
  }

  /** Forgets all places: the cells are about to be read anew. Counts go on. */
  unsettle(): void {
    this.#isSettled = false;
    this.#lanes.clear();
    this.vanished.clear();
    this.#ahead.clear();
  }

  /** A channel entry that was there when its cell was read, unless its reader had passed it. */
  addFlight(from: number, to: number, flight: Flight): void {
    if (to >= OUTBOX || flight.seq <= this.#consumed(to, from)) return;
    this.#lane(from, to).push(flight);
  }

  /** Every cell has been read, and each source at least as far as its readers: who is where now? */
  settle(): void {
    this.#isSettled = true;
    this.places.clear();
    for (const { cell, ids } of this.#tracks) for (const id of ids) this.#settleAt(id, cell);
    for (const [key, lane] of this.#lanes) {
      const from = Math.floor(key / LANE);
      for (const { ids } of lane) for (const id of ids) this.#settleAt(id, inFlightFrom(from));
    }
    // Whoever is in a cell was not lost after all. A lost one's channel entry may still be there.
    for (const [id, place] of this.places) if (place >= 0) this.missing.delete(id);
    this.#base = this.places.size - this.created + this.deleted;
  }

  /** Nobody will bring these into a cell any more; `from` is the cell they departed from. */
  lose(ids: readonly number[], from: number): void {
    for (const id of ids) {
      if (this.places.get(id) === inFlightFrom(from)) this.missing.set(id, from);
    }
  }

  #settleAt(id: number, place: number): void {
    const other = this.places.get(id);
    if (other !== undefined) {
      const message = `an entity is both in ${placeName(other)} and in ${placeName(place)}`;
      this.#findings.violation('E1', place < 0 ? -1 - place : place, message, { ids: [id] });
      this.doubled.add(id);
    }
    this.places.set(id, place);
  }

  /** True while an arrival's source has not been followed up to the departure it names. */
  mustWait(facts: EntryFacts): boolean {
    return facts.arrivals.some(({ from, seq }) => seq > (this.#tracks[from]?.outSeq ?? seq));
  }

  apply(track: CellTrack, seq: number, facts: EntryFacts): void {
    for (const arrival of facts.arrivals) {
      if (layerOfAddress(arrival.from) === -1) this.#arrive(track, seq, arrival);
      else this.#bearAll(track, seq, arrival);
    }
    for (const id of listOf(facts.births)) this.#bear(track, seq, facts.idCounter, id);
    for (const id of listOf(facts.deaths)) this.#die(track, seq, id);
    for (const departure of facts.departures) this.#depart(track, seq, departure);
  }

  /** E2: created − deleted = alive, by count. */
  checkBalance(): void {
    const counted = this.#base + this.created - this.deleted;
    const found = this.places.size + this.vanished.size;
    if (counted === found) return;
    const message = `${this.created} created and ${this.deleted} deleted leave ${counted}, not ${found}`;
    this.#findings.violation('E2', -1, message);
  }

  #arrive(
    track: CellTrack,
    seq: number,
    arrival: { readonly from: number; readonly seq: number; readonly ids: ArrayLike<number> },
  ): void {
    const { cell } = track;
    const { from } = arrival;
    const ids = listOf(arrival.ids);
    const say = (message: string): void =>
      this.#findings.violation('E1', cell, message, { seq, ids });
    const entry = `channel entry ${from}:${arrival.seq}`;
    if (arrival.seq <= this.#consumed(cell, from)) say(`${entry} was consumed before`);
    const lane = this.#lane(from, cell);
    while (lane[0] !== undefined && lane[0].seq < arrival.seq) {
      const skipped = lane.shift() as Flight;
      const message = `channel entry ${from}:${skipped.seq} was skipped`;
      this.#findings.violation('E1', cell, message, { seq, ids: skipped.ids });
      this.lose(skipped.ids, from);
    }
    const flight = lane[0]?.seq === arrival.seq ? lane.shift() : undefined;
    const isBlind = arrival.seq <= (this.#tracks[from]?.blindOutTo ?? 0);
    if (flight !== undefined && !isSame(flight.ids, ids))
      say(`${entry} arrived with other entities`);
    // While all cells are being read: this one was read before it consumed, the source after that.
    const isGone = !this.#isSettled && arrival.seq <= (this.#tracks[from]?.outGoneTo ?? 0);
    const isKnown = flight !== undefined || isBlind || isGone;
    if (!isKnown && arrival.seq > this.#consumed(cell, from)) {
      say(`${entry} arrived, but no departure wrote it to this cell`);
    }
    for (const id of ids) this.#takeIn(track, seq, from, id, isBlind);
    track.consumed.set(from, Math.max(this.#consumed(cell, from), arrival.seq));
  }

  #takeIn(track: CellTrack, seq: number, from: number, id: number, isBlind: boolean): void {
    const { cell } = track;
    track.ids.add(id);
    if (this.#isSettled) {
      const place = this.places.get(id);
      const isExpected = place === inFlightFrom(from);
      if (place !== undefined && !isExpected && isBlind) this.#ahead.add(id);
      else if (place !== undefined && !isExpected && this.#ahead.has(id)) return;
      if (place === undefined && isBlind) this.#resurface(id);
      else if (place === undefined && this.vanished.has(id)) this.vanished.delete(id);
      else if (place === undefined) this.#sayUnknown(cell, seq, id, 'arrived');
      else if (!isExpected && !isBlind) {
        const message = `an entity arrived while it is in ${placeName(place)}`;
        this.#findings.violation('E1', cell, message, { seq, ids: [id] });
        this.doubled.add(id);
      }
      this.places.set(id, cell);
      this.missing.delete(id);
    }
  }

  /** Rows that another layer sends are of those whom it bore in the same cell. */
  #bearAll(track: CellTrack, seq: number, { from, seq: position, ids }: EntryFacts['arrivals'][0]) {
    const { cell } = track;
    if (position <= this.#consumed(cell, from)) {
      const message = `channel entry ${from}:${position} was consumed before`;
      this.#findings.violation('E1', cell, message, { seq, ids: listOf(ids) });
    }
    for (const id of listOf(ids)) {
      const isOwn = id < OUTSIDE_BIT;
      const before = track.borneBy.get(from) ?? 0;
      const isBorn = this.#ahead.has(id) || !isOwn || counterOf(id) > before;
      if (!isBorn) {
        const message = 'an entity came back from death by birth in another layer';
        this.#findings.violation('E2', cell, message, { seq, ids: [id] });
      }
      if (isOwn) track.borneBy.set(from, Math.max(before, counterOf(id)));
      this.#bear(track, seq, Number.POSITIVE_INFINITY, id);
    }
    track.consumed.set(from, Math.max(this.#consumed(cell, from), position));
  }

  #bear(track: CellTrack, seq: number, idCounter: number, id: number): void {
    const { cell } = track;
    if (this.#ahead.has(id)) {
      track.ids.add(id);
      return;
    }
    const say = (message: string): void =>
      this.#findings.violation('E2', cell, message, { seq, ids: [id] });
    const place = this.#isSettled ? this.places.get(id) : track.ids.has(id) ? cell : undefined;
    const counter = counterOf(id);
    const isOwn = id < OUTSIDE_BIT;
    if (place !== undefined) {
      say(`an entity was born that lives in ${placeName(place)}`);
      this.doubled.add(id);
    } else if (isOwn && bearerOf(id) !== cell)
      say('an entity was born under the id of another cell');
    else if (isOwn && Number.isFinite(idCounter) && counter % COUNTERS <= track.idCounter)
      say('an entity came back from death by birth');
    else if (isOwn && counter % COUNTERS > idCounter)
      say(`an entity was born beyond id counter ${idCounter}`);
    if (place === undefined) this.created++;
    if (this.#isSettled) this.places.set(id, cell);
    track.ids.add(id);
  }

  #die(track: CellTrack, seq: number, id: number): void {
    if (!track.ids.delete(id)) {
      this.#sayUnknown(track.cell, seq, id, 'died');
      return;
    }
    this.deleted++;
    if (this.places.get(id) === track.cell) this.places.delete(id);
    this.#ahead.delete(id);
  }

  #depart(
    track: CellTrack,
    seq: number,
    departure: { readonly to: number; readonly seq: number; readonly ids: ArrayLike<number> },
  ): void {
    const { cell } = track;
    const { to } = departure;
    const ids = listOf(departure.ids);
    if (departure.seq <= track.outSeq || (this.#tracks[to] === undefined && to < OUTBOX)) {
      const message = `departure to cell ${to} as channel entry ${departure.seq} after ${track.outSeq}`;
      this.#findings.violation('E1', cell, message, { seq, ids });
    }
    for (const id of ids) {
      if (!track.ids.delete(id)) this.#sayUnknown(cell, seq, id, 'departed');
    }
    // A cell read after its source may have consumed what the source is only now seen to write.
    const isConsumed = departure.seq <= this.#consumed(to, cell);
    if (to >= OUTBOX) {
      // Letters for no cell around, which its holder brings, or what is for another layer.
    } else if (!isConsumed) {
      this.#lane(cell, to).push({ seq: departure.seq, ids });
      if (this.#isSettled) for (const id of ids) this.#moveOn(id, cell);
    } else {
      // Here the past has caught up with what was read ahead of it.
      for (const id of ids) this.#ahead.delete(id);
    }
    track.outSeq = Math.max(track.outSeq, departure.seq);
    track.unseenOut.push({ to, seq: departure.seq, ids });
  }

  #moveOn(id: number, from: number): void {
    const isPast = this.#ahead.has(id) && this.places.get(id) !== from;
    if (!isPast) this.places.set(id, inFlightFrom(from));
  }

  #sayUnknown(cell: number, seq: number, id: number, verb: string): void {
    const place = this.places.get(id);
    const bearer = this.#tracks[bearerOf(id)];
    const wasBorn = id >= OUTSIDE_BIT || counterOf(id) % COUNTERS <= (bearer?.idCounter ?? 0);
    const [rule, state]: [AuditRule, string] =
      place !== undefined
        ? ['E1', `is in ${placeName(place)}`]
        : ['E2', wasBorn ? 'is dead' : 'was never born'];
    this.#findings.violation(rule, cell, `an entity ${verb} that ${state}`, { seq, ids: [id] });
  }

  /**
   * A cell was read anew in the middle: what it has now and what it lacks is taken over as it is.
   * Who appears was born, arrived or came back unseen; who is missing has vanished.
   */
  reconcile(track: CellTrack, before: ReadonlySet<number>): void {
    const { cell } = track;
    for (const id of track.ids) {
      const place = this.places.get(id);
      if (place === cell) continue;
      if (!this.#isArrival(id, place, cell)) this.#ahead.add(id);
      if (place === undefined) this.#resurface(id);
      this.places.set(id, cell);
    }
    for (const id of before) {
      if (track.ids.has(id) || this.places.get(id) !== cell) continue;
      this.places.delete(id);
      this.vanished.set(id, cell);
    }
    for (const [key, lane] of this.#lanes) {
      if (key % LANE === cell) this.#dropConsumed(lane, cell, Math.floor(key / LANE));
    }
  }

  /** Whether the departure towards the cell, which has consumed it, was read before. */
  #isArrival(id: number, place: number | undefined, cell: number): boolean {
    if (place === undefined || place >= 0) return false;
    const from = inFlightFrom(place);
    const consumed = this.#consumed(cell, from);
    return this.#lane(from, cell).some(({ seq, ids }) => seq <= consumed && ids.includes(id));
  }

  /** Entities in a channel entry that was found when its cell was read anew. */
  noticeFlight(from: number, to: number, flight: Flight): void {
    if (to >= OUTBOX || flight.seq <= this.#consumed(to, from)) return;
    const lane = this.#lane(from, to);
    if (lane.some(({ seq }) => seq === flight.seq)) return;
    lane.push(flight);
    for (const id of flight.ids) {
      // Who was in the cell before is known to have come there.
      if (this.vanished.get(id) !== from) this.#ahead.add(id);
      if (!this.places.has(id)) this.#resurface(id);
      this.places.set(id, inFlightFrom(from));
    }
  }

  #dropConsumed(lane: Flight[], cell: number, from: number): void {
    while (lane[0] !== undefined && lane[0].seq <= this.#consumed(cell, from)) {
      for (const id of (lane.shift() as Flight).ids) {
        if (this.places.get(id) !== inFlightFrom(from)) continue;
        this.places.delete(id);
        this.vanished.set(id, cell);
      }
    }
  }

  #resurface(id: number): void {
    if (!this.vanished.delete(id)) this.created++;
  }

  #consumed(cell: number, from: number): number {
    return this.#tracks[cell]?.consumed.get(from) ?? 0;
  }

  #lane(from: number, to: number): Flight[] {
    const key = from * LANE + to;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = [];
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

function listOf(ids: ArrayLike<number>): readonly number[] {
  return Array.isArray(ids) ? (ids as readonly number[]) : Array.from(ids);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
