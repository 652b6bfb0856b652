/**
 * The auditor's own reading of the key names. On purpose not shared with the store that writes
 * them: a store that began to write elsewhere must be found out, not followed.
 */
import { checkName } from '@leasehold/kernel';

/** What must be known of a world to find its cells; everything else is read from Redis. */
export type WorldFacts = {
  readonly world: string;
  readonly incarnation: number;
  readonly layer: string;
  /** All of the world, in order; absent or empty: that one only. */
  readonly layers?: readonly string[];
  readonly columns: number;
  readonly rows: number;
  /** Cells along the side of a block. */
  readonly blockCells: number;
};

export type CellKeys = {
  readonly meta: string;
  readonly log: string;
  readonly out: string;
  readonly inbox: string;
  readonly checkpoints: readonly [string, string];
};

/** Keys of every cell, made once: the same strings are sent at each poll. */
export function cellKeys(facts: WorldFacts): CellKeys[] {
  const { columns, rows, blockCells, layer, incarnation } = facts;
  checkName('world', facts.world);
  checkName('layer', layer);
  const keys: CellKeys[] = [];
  for (let cell = 0; cell < columns * rows; cell++) {
    const blockX = Math.floor((cell % columns) / blockCells);
    const blockY = Math.floor(Math.floor(cell / columns) / blockCells);
    const prefix = `{${facts.world}.${incarnation}.${blockX}.${blockY}}:${cell}`;
    keys.push({
      meta: `${prefix}:meta:${layer}`,
      log: `${prefix}:log:${layer}`,
      out: `${prefix}:out:${layer}`,
      inbox: `${prefix}:inbox:${layer}`,
      checkpoints: [`${prefix}:ckpt:${layer}:0`, `${prefix}:ckpt:${layer}:1`],
    });
  }
  return keys;
}

export function blockKeyOf(facts: WorldFacts, cell: number): string {
  const blockX = Math.floor((cell % facts.columns) / facts.blockCells);
  const blockY = Math.floor(Math.floor(cell / facts.columns) / facts.blockCells);
  return `{${facts.world}.${facts.incarnation}.${blockX}.${blockY}}:block`;
}

/** Which of its block a cell is, row by row. */
export function placeOf({ columns, blockCells }: WorldFacts, cell: number): number {
  return (Math.floor(cell / columns) % blockCells) * blockCells + ((cell % columns) % blockCells);
}

export function schemasKey(facts: WorldFacts): string {
  return `{${facts.world}.${facts.incarnation}}:schemas`;
}
