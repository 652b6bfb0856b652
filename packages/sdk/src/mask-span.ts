/** Which components the rows of a table have, all of them and any of them. */
import type { Table } from '@leasehold/protocol';

/** Components that all rows have, and that any row has, as bits. */
export type MaskSpan = { readonly inAll: number; readonly inAny: number };

export function maskSpan({ masks, count }: Table): MaskSpan {
  let inAll = -1;
  let inAny = 0;
  for (let row = 0; row < count; row++) {
    inAll &= masks[row] as number;
    inAny |= masks[row] as number;
  }
  return { inAll, inAny };
}
