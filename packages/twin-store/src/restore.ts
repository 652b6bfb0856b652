/** A world that is restored, as `db/lua` writes it. */
import {
  BYTES_PER_CELL_MAX,
  type CellRestore,
  type CellSeedReply,
  type ChannelRestore,
  FORMAT_VERSION,
  SEED_EPOCH,
} from '@leasehold/protocol';
import { badArg, type CellRecord, isHash } from './cell.ts';

/** A cell as it was at a cut. */
export function restore(cell: CellRecord, of: CellRestore): CellSeedReply {
  if (!isHash(of.hash) || of.checkpoint.length === 0) return badArg('a restored cell is malformed');
  if (of.checkpoint.length > BYTES_PER_CELL_MAX) {
    return {
      tag: 'TOOBIG',
      message: `${of.checkpoint.length} bytes, at most ${BYTES_PER_CELL_MAX}`,
    };
  }
  if (cell.seq !== 0 && cell.born === of.hash) return { tag: 'ALREADY' };
  if (cell.seq !== 0) return { tag: 'HEAD', seq: cell.seq, hash: cell.hash };
  const { seq, hash, tick, idCounter, asked, outSeq, cursors } = of;
  cell.checkpoints[0] = { seq, hash, tick, body: of.checkpoint.slice() };
  for (const each of cursors) cell.cursors.set(each.cell, each.seq);
  const born = { born: hash, restoredSeq: seq };
  Object.assign(cell, { seq, hash, tick, idCounter, asked, outSeq, ...born });
  if (of.last !== undefined) {
    const at = { seq: seq + 1, tick: of.last.tick, hash: of.last.hash };
    const entry = { version: FORMAT_VERSION, epoch: SEED_EPOCH, prevHash: hash };
    cell.log.push({ ...at, ...entry, body: of.last.body.slice() });
    Object.assign(cell, at);
  }
  return { tag: 'OK' };
}

/** What was on its way from it. */
export function restoreOut(cell: CellRecord, { cell: from, outs }: ChannelRestore): CellSeedReply {
  if (outs.some(({ seq }) => seq > cell.outSeq))
    return badArg('out: beyond the end of the channel');
  for (const { seq, to, tick, body } of outs) {
    if (seq <= (cell.out.at(-1)?.seq ?? 0)) continue;
    cell.out.push({ seq, from, to, tick, body: body.slice() });
  }
  return { tag: 'OK' };
}
