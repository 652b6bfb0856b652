/** By what a block knows the states in which its cells went to sleep. The same as `db/lua/lib/cold.lua`. */
import { createHash } from 'node:crypto';

const MARK_BYTES = 4;

/**
 * What a cell's state is known by, and never 0: the first four bytes of a SHA-1 of its hash and of all
 * that changes without a commit. So whatever is kept under a mark never becomes anything else.
 */
export function coldMark(head: ReadonlyMap<string, string>, hash: string): number {
  const [epoch, asked, posts] = ['epoch', 'asked', 'posts'].map((name) => head.get(name) ?? '0');
  const state = `${hash} ${epoch} ${asked} ${posts}`;
  return createHash('sha1').update(state).digest().readUInt32BE(0) || 1;
}

/** Of the cell at this place of its block; 0: it does not sleep. */
export function readMark(marks: Uint8Array, place: number): number {
  const at = place * MARK_BYTES;
  if (marks.length < at + MARK_BYTES) return 0;
  return Buffer.from(marks.buffer, marks.byteOffset).readUInt32BE(at);
}
