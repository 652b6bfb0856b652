/**
 * Where every entity is in a world at rest, counted from Redis alone: cells, and channel entries
 * that their readers have not passed.
 */
import { decodeRows, inspectRows, OUTBOX, StateHash } from '@leasehold/protocol';
import type { CellReading, OutReading } from './reading.ts';
import { type Replay, replay, type Schemas } from './replay.ts';

export type Census = {
  /** All places of each entity; more than one is a duplicate. */
  readonly places: ReadonlyMap<number, readonly string[]>;
  readonly inFlight: number;
  readonly tickMin: number;
  readonly tickMax: number;
  /** Over all entities, those in channels included; null unless all cells are at one tick. */
  readonly stateHash: string | null;
  readonly checkpointsCompared: number;
  readonly faults: readonly { readonly cell: number; readonly message: string }[];
  /** All channel entries that there are, whomever they are for. */
  readonly own: readonly OutReading[];
  /** Of each cell. */
  readonly cursors: ReadonlyMap<number, ReadonlyMap<number, number>>;
};

/** Built cell by cell, so that only one group of cells is in memory at a time. */
export class CensusTaker {
  readonly #schemas: Schemas;
  readonly #places = new Map<number, string[]>();
  readonly #state = new StateHash();
  readonly #faults: { readonly cell: number; readonly message: string }[] = [];
  readonly #cursors = new Map<number, ReadonlyMap<number, number>>();
  /** Channel entries kept until the cursors of their destinations are known. */
  #out: { from: number; to: number; seq: number; body: Uint8Array }[] = [];
  readonly #own: OutReading[] = [];
  #tickMin = Number.POSITIVE_INFINITY;
  #tickMax = 0;
  #checkpointsCompared = 0;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  add(reading: CellReading): Replay {
    const { cell, meta } = reading;
    const state = replay(reading, this.#schemas);
    for (const message of state.faults) this.#faults.push({ cell, message });
    for (const id of state.ids) this.#place(id, `cell ${cell}`);
    if (state.table !== undefined) this.#state.add(state.table);
    this.#checkpointsCompared += state.checkpointsCompared;
    this.#cursors.set(cell, meta.cursors);
    for (const { to, seq, body } of reading.out) {
      // What is for other layers, or for no cell, holds nobody of this one.
      if (to < OUTBOX) this.#out.push({ from: cell, to, seq, body });
    }
    this.#own.push(...reading.out);
    if (meta.seq > 0) {
      this.#tickMin = Math.min(this.#tickMin, meta.tick);
      this.#tickMax = Math.max(this.#tickMax, meta.tick);
    }
    return state;
  }

  finish(): Census {
    let inFlight = 0;
    for (const { from, to, seq, body } of this.#out) {
      if (seq <= (this.#cursors.get(to)?.get(from) ?? 0)) continue;
      try {
        const { ids } = inspectRows(body);
        inFlight += ids.length;
        for (const id of ids) this.#place(id, `channel entry ${from}:${seq} to cell ${to}`);
        this.#state.add(decodeRows(body, this.#schemas.resolve).rows);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#faults.push({ cell: from, message: `channel entry ${seq}: ${reason}` });
      }
    }
    this.#out = [];
    const isOneTick = this.#tickMin === this.#tickMax;
    return {
      places: this.#places,
      inFlight,
      tickMin: Number.isFinite(this.#tickMin) ? this.#tickMin : 0,
      tickMax: this.#tickMax,
      stateHash: isOneTick ? this.#state.hex(this.#tickMax) : null,
      checkpointsCompared: this.#checkpointsCompared,
      faults: this.#faults,
      own: this.#own,
      cursors: this.#cursors,
    };
  }

  #place(id: number, place: string): void {
    const places = this.#places.get(id);
    if (places === undefined) this.#places.set(id, [place]);
    else places.push(place);
  }
}
