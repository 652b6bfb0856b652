/** L3: the chain that makes a log's order and content provable to whoever reads it. */
import { Hasher } from '@leasehold/kernel';

const hasher = new Hasher();

/**
 * The hash of a log entry: sixteen hex digits over the hash before it ('' for the first), its
 * sequence number, its epoch (decimal), its tick and its body.
 */
export function entryHash(
  prevHash: string,
  seq: number,
  epoch: string,
  tick: number,
  body: Uint8Array,
): string {
  hasher.reset().text(prevHash).f64(seq).text(epoch).f64(tick);
  return hasher.bytes(body).hex();
}
