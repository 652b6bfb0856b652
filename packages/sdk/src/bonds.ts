/**
 * What binds a cell of one layer to the same cell of the others: copies of their components, rows for
 * those who are born, and word of those who died.
 */
import { assert } from '@leasehold/kernel';
import {
  addressOf,
  encodeMail,
  encodeRows,
  type LayerSchema,
  type Letter,
  layerOfAddress,
  Table,
} from '@leasehold/protocol';
import type { Grid } from '@leasehold/spatial';
import type { Placement, Requests } from './births.ts';
import type { StepInput } from './cell.ts';
import type { Join } from './join.ts';
import type { CellView, SpatialFields } from './view.ts';

/** What all cells of an engine share of a world of several layers. */
export type LayerKit = {
  /** Of the own layer. */
  readonly index: number;
  /** Of the layer that says who lives and where. */
  readonly home: number;
  readonly others: readonly { readonly index: number; readonly placement: Placement }[];
  /** One for each layer of which this one keeps copies. */
  readonly joins: readonly Join[];
  readonly spatial: SpatialFields | undefined;
  readonly tickHz: number;
  /** The counter in an id, of the so many-th that a cell bears in the layer. */
  counterOf(count: number): number;
};

/** Ids that a cell bears have four bits for the layer in which they were born. */
const COUNTER_MAX = 2 ** 28 - 1;

/** What `LayerKit.counterOf` has to be. */
export function layerCounter(layer: number): (count: number) => number {
  const base = layer * (COUNTER_MAX + 1);
  return (count) => {
    assert(count <= COUNTER_MAX, 'a cell of a world of several layers bears at most 2^28 entities');
    return base + count;
  };
}

/** Who was not seen for so long is looked for: where it was followed, it is not any more. */
const STRAY_S = 1;
const NOBODY: readonly number[] = [];

export class Bonds {
  readonly #kit: LayerKit;
  readonly #grid: Grid;
  readonly #cell: number;
  /** The cell itself, then those around. */
  readonly #around: readonly number[];
  /** Since when nobody around has them. */
  #missing = new Map<number, number>();

  constructor(kit: LayerKit, grid: Grid, cell: number) {
    this.#kit = kit;
    this.#grid = grid;
    this.#cell = cell;
    this.#around = [cell, ...grid.neighbours(cell)];
  }

  /**
   * Brings the copies up to date. Answers those whom the layer that says where all are has had nowhere
   * around for long.
   */
  copy(table: Table, input: StepInput): readonly number[] {
    let strays: readonly number[] = NOBODY;
    for (const join of this.#kit.joins) {
      const views = this.#around.map((cell) => input.foreign?.(join.layer, cell));
      const missing = join.copy(table, views);
      if (join.isPlace && input.isExact !== true) strays = this.#strays(table, missing, input);
    }
    return strays;
  }

  #strays(table: Table, missing: readonly number[], input: StepInput): readonly number[] {
    if (missing.length === 0) {
      if (this.#missing.size > 0) this.#missing = new Map();
      return NOBODY;
    }
    const still = new Map<number, number>();
    const strays: number[] = [];
    for (const id of missing) {
      const since = this.#missing.get(id) ?? input.tick;
      still.set(id, since);
      if (input.tick - since < STRAY_S * this.#kit.tickHz) continue;
      const cell = input.leads?.get(id);
      if (cell === undefined || cell === this.#cell) strays.push(id);
      else this.#send(table, id, cell);
    }
    this.#missing = still;
    return strays;
  }

  /** Towards the cell in which it was seen: it leaves for there as if its entity had. */
  #send(table: Table, id: number, cell: number): void {
    const { spatial } = this.#kit;
    const row = table.find(id);
    if (spatial === undefined || row === -1) return;
    const columns = table.columns[spatial.component] ?? [];
    (columns[spatial.x] as Float64Array)[row] = this.#grid.centreX(cell);
    (columns[spatial.y] as Float64Array)[row] = this.#grid.centreY(cell);
    const marks = table.dirty[spatial.component] as Uint32Array;
    marks[row] = (marks[row] as number) | (2 ** spatial.x) | (2 ** spatial.y);
  }

  /** As `StepInput.view`, with copies as old as what is seen of oneself. */
  refreshed(input: StepInput): StepInput['view'] {
    return (cell) => {
      const view = input.view(cell);
      return view && this.refresh(view, input);
    };
  }

  refresh(view: CellView, { foreign }: StepInput): CellView {
    if (view.joinedTick === view.tick || foreign === undefined) return view;
    view.joinedTick = view.tick;
    for (const join of this.#kit.joins) {
      const theirs = foreign(join.layer, view.cell);
      if (theirs !== undefined) join.refresh(view, theirs);
    }
    return view;
  }

  /** In which of the cells around somebody is during this tick, for the layer that says so. */
  homeOf(id: number, { foreign }: StepInput): number | undefined {
    for (const cell of this.#around) {
      const seen = foreign?.(this.#kit.home, cell);
      if (seen?.has(id) !== true) continue;
      const to = seen.leaving?.get(id) ?? cell;
      return this.#around.includes(to) ? to : undefined;
    }
    return undefined;
  }

  /** What is sent to a layer is written in its schema: it is in that one's log afterwards. */
  schemaAt(address: number): LayerSchema | undefined {
    const layer = layerOfAddress(address);
    return this.#kit.others.find(({ index }) => index === layer)?.placement.schema;
  }

  /** Tells the other layers of this cell who was born and, if this one says so, who died. */
  tell(
    { born }: Requests,
    {
      died,
      tick,
      isHome,
    }: { readonly died: readonly number[]; readonly tick: number; readonly isHome: boolean },
    add: (to: number, body: Uint8Array) => void,
  ): void {
    if (born.length === 0 && (died.length === 0 || !isHome)) return;
    for (const { index, placement } of this.#kit.others) {
      const to = addressOf(index, this.#cell);
      if (born.length > 0) {
        const rows = new Table(placement.schema);
        const ascending = [...born].sort((a, b) => a.id - b.id);
        for (const { id, values } of ascending) placement.append(rows, id, values, 'spawn');
        add(to, encodeRows(rows, tick));
      }
      if (died.length > 0 && isHome) add(to, encodeMail(placement.schema, died.map(ended(tick))));
    }
  }
}

const ended =
  (tick: number) =>
  (id: number, n: number): Letter => ({
    ...{ to: id, from: 0, tick, n, seq: 0, before: 0, post: '', event: '', payload: {} },
    request: { kind: 'ended', id },
  });
