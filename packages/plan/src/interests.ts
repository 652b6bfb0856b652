/** What gateways and people say of cells, made into one number for each cell. */
import type { Interest } from '@leasehold/protocol';

/** By cell. */
export type Attention = {
  /** How many look at it, through all gateways. */
  readonly viewers: Uint32Array;
  /** 1: it has been ordered to be awake. */
  readonly ordered: Uint8Array;
};

/** Cells that the grid has not are passed over: a gateway of another incarnation may speak of them. */
export function gatherInterests(interests: Iterable<Interest>, cells: number): Attention {
  const viewers = new Uint32Array(cells);
  const ordered = new Uint8Array(cells);
  for (const { kind, runs } of interests) {
    for (const [first, count, looking] of runs) {
      const end = Math.min(cells, first + count);
      for (let cell = first; cell < end; cell++) {
        if (kind === 'order') ordered[cell] = 1;
        else viewers[cell] = (viewers[cell] as number) + looking;
      }
    }
  }
  return { viewers, ordered };
}
