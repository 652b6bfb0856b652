/** S1: hashes that tell whether a snapshot is what was captured. */
import { createHash } from 'node:crypto';
import type { CapturedCell } from './captured.ts';

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export type CellPosition = Omit<CapturedCell, 'rows'>;

/** Over all that is known of a cell; content counts by its own hash. */
export function cellDigest(position: CellPosition, rowsSha: Uint8Array): Buffer {
  const { layer, cell, seq, hash, tick, idCounter, asked, outSeq, cursors, count } = position;
  const values = [layer, cell, seq, hash, tick, idCounter, asked, outSeq, cursors, count];
  return createHash('sha256').update(JSON.stringify(values)).update(rowsSha).digest();
}

/** Over what was on its way from and to a cell. */
export function flightDigest(
  { layer, cell }: Pick<CapturedCell, 'layer' | 'cell'>,
  bytes: Uint8Array,
): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([layer, cell]))
    .update(bytes)
    .digest();
}
