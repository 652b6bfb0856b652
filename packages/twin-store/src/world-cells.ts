/** The cells of a world as one layer's connection names them: by number, or by address in another layer. */
import { cellOfAddress, layerOfAddress, type Refusal } from '@leasehold/protocol';
import { badArg, type CellRecord } from './cell.ts';
import { type TwinServer, worldKey } from './server.ts';

type Place = {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** All of the world, in the order of their numbers. */
  readonly layers: readonly string[];
};

export class WorldCells {
  readonly #server: TwinServer;
  readonly #place: Place;
  readonly #key: string;

  constructor(server: TwinServer, place: Place) {
    this.#server = server;
    this.#place = place;
    this.#key = worldKey(place.world, place.incarnation);
  }

  /** The layer with this number; −1: the own one. '' where there is none. */
  nameOf(layer: number): string {
    return (layer === -1 ? this.#place.layer : this.#place.layers[layer]) ?? '';
  }

  layerOf(address: number): string {
    return this.nameOf(layerOfAddress(address));
  }

  find(address: number): CellRecord | undefined {
    const { world, incarnation } = this.#place;
    const cells = this.#server.cells(world, incarnation, this.layerOf(address));
    return cells.get(cellOfAddress(address));
  }

  record(address: number): CellRecord {
    return this.#server.cell(this.#key, this.layerOf(address), cellOfAddress(address));
  }

  refusal(address: number): Refusal | undefined {
    const { grid } = this.#server;
    const number = cellOfAddress(address);
    const isKnown = Number.isInteger(address) && address >= 0 && this.layerOf(address) !== '';
    if (!(isKnown && number < grid.cells)) return badArg(`no cell ${address} in this grid`);
    const block = this.#server.world(this.#key).blocks.get(grid.blockOf(number));
    if (block === undefined) return { tag: 'NOWORLD' };
    return block.isSealed ? { tag: 'SEALED' } : undefined;
  }
}
