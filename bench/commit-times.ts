/** Notes when commits can be read by anybody: a follower beside the gateway, of the same cells. */
import { openLiveStore } from '@leasehold/live-store';
import type { FollowCursor } from '@leasehold/protocol';
import type { Area } from '@leasehold/protocol/view';
import { AreaShape, type AreaSpec, Grid } from '@leasehold/spatial';

export type Stored = {
  readonly url: string;
  readonly space: { readonly kind: 'torus'; width: number; height: number; cell: number };
  readonly blockCells: number;
};

/** By cell and tick, ms of the wall clock. */
export type CommitTimes = Map<string, number>;

/** Follows the cells of an area until it is stopped. */
export async function followCommits({ url, space, blockCells }: Stored, area: Area) {
  const grid = new Grid(space, { blockCells });
  const at = { url, world: 'bench', incarnation: 1, layer: 'main', grid };
  const store = await openLiveStore(at);
  const cells = [...new AreaShape(grid, area as AreaSpec).cells];
  const cursors = new Map<number, FollowCursor>();
  for (const head of await store.heads(cells)) {
    if ('seq' in head) cursors.set(head.cell, head);
  }
  const times: CommitTimes = new Map();
  let isStopped = false;
  const reading = (async () => {
    while (!isStopped) {
      const news = await store.poll(
        [...cursors.values()].map(({ cell, seq, hash }) => ({ cell, seq, hash })),
        100,
      );
      const nowMs = Date.now();
      for (const { cell, entries } of news) {
        for (const { seq, hash, tick } of entries) {
          cursors.set(cell, { cell, seq, hash });
          times.set(`${cell}:${tick}`, nowMs);
        }
      }
    }
  })();
  return {
    times,
    async stop(): Promise<void> {
      isStopped = true;
      await reading;
      await store.close();
    },
  };
}
