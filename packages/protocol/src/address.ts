/**
 * Where channel entries and posts go, and whom cursors are of: a cell of the layer whose store, log or
 * channel it is, by its plain number; a cell of another layer of the same world, by its address.
 */

/** Above the numbers of cells and the outbox. */
const LAYER_STRIDE = 2 ** 21;
/** Layers of a world are numbered in the order in which its manifest names them. */
export const LAYER_INDEX_MAX = 15;

/** A cell of the layer with this number, for whoever is in another one. */
export function addressOf(layer: number, cell: number): number {
  return (layer + 1) * LAYER_STRIDE + cell;
}

/** The number of the layer of an address; −1: a plain cell. */
export function layerOfAddress(address: number): number {
  return Math.floor(address / LAYER_STRIDE) - 1;
}

/** The cell of an address, or of a plain number itself. */
export function cellOfAddress(address: number): number {
  return address % LAYER_STRIDE;
}
