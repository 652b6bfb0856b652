/**
 * What is read for a held cell besides its own layer: the same cell and those around it, in every other
 * layer of the world. Known by their addresses, as the store knows them.
 */
import {
  addressOf,
  type ChannelEntry,
  cellOfAddress,
  layerOfAddress,
  OUTBOX,
} from '@leasehold/protocol';
import type { CellState, Engine } from '@leasehold/sdk/engine';
import type { PodParts } from './settings.ts';

const NONE: readonly number[] = [];

export class Sources {
  readonly #engine: Engine;
  readonly #schemaOf: PodParts['schemaOf'];
  readonly #others: readonly number[];
  readonly #foreign = new Map<number, readonly number[]>();

  constructor({ engine, schemaOf }: Pick<PodParts, 'engine' | 'schemaOf'>) {
    this.#engine = engine;
    this.#schemaOf = schemaOf;
    this.#others = engine.layers.map((_, layer) => layer).filter((layer) => layer !== engine.layer);
  }

  /** Addresses of the cells of other layers that a cell reads. */
  foreign(cell: number): readonly number[] {
    if (this.#others.length === 0) return NONE;
    const known = this.#foreign.get(cell);
    if (known !== undefined) return known;
    const around = [cell, ...this.#engine.grid.neighbours(cell)];
    const found = this.#others.flatMap((layer) => around.map((other) => addressOf(layer, other)));
    this.#foreign.set(cell, found);
    return found;
  }

  /** Cells of this layer that read what a number or address names. */
  readersOf(address: number): readonly number[] {
    const cell = cellOfAddress(address);
    const around = this.#engine.grid.neighbours(cell);
    return address === cell ? [...around] : [cell, ...around];
  }

  /** Whether more is read of it than its channel. */
  reads(address: number): boolean {
    const layer = layerOfAddress(address);
    return layer === -1 || this.#engine.reads(layer);
  }

  createCell(address: number): CellState {
    const layer = layerOfAddress(address);
    if (layer === -1) return this.#engine.createCell(address, this.#schemaOf);
    return this.#engine.createForeign(layer, cellOfAddress(address), this.#schemaOf);
  }

  /** The cell of this layer that a channel entry is for; undefined: it is for none. */
  cellFor({ from, to }: ChannelEntry): number | undefined {
    const isForeign = layerOfAddress(from) !== -1;
    const layer = layerOfAddress(to);
    if (!isForeign) return layer === -1 && to !== OUTBOX ? to : undefined;
    return layer === this.#engine.layer ? cellOfAddress(to) : undefined;
  }

  /** How a reader of this layer's channels names a cell of it among its cursors. */
  nameAt(reader: number, cell: number): number {
    return layerOfAddress(reader) === -1 ? cell : addressOf(this.#engine.layer, cell);
  }
}
