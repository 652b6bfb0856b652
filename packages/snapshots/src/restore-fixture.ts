/** Small worlds in PostGIS, restored into a real Redis, and all that can be read of them there. */
import { openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import type { SnapshotFacts, SnapshotStore } from '@leasehold/snapshot-store';
import {
  at,
  factsOf,
  flightOf,
  plain,
  taken,
  worldOf,
} from '@leasehold/snapshot-store/snapshot-fixture';
import { Grid } from '@leasehold/spatial';

const SPACE = { kind: 'plane', width: 400, height: 400, cell: 100 } as const;
const GRID = new Grid(SPACE);
const LAYERS = ['motion', 'metabolism'];

/** `mark`: where somebody is; snapshots differ by it. */
export async function snapshotOf(
  store: SnapshotStore,
  id: string,
  {
    world,
    mark,
    seed = 7,
  }: { readonly world: string; readonly mark: number; readonly seed?: number },
): Promise<SnapshotFacts> {
  const facts = factsOf(id, {
    ...{ world, manifestHash: `${seed}`.padStart(16, '0') },
    fixed: {
      ...{ 'space.kind': SPACE.kind, 'space.width': SPACE.width, 'space.height': SPACE.height },
      ...{ 'space.cell': SPACE.cell, blockCells: 4, seed, layers: LAYERS.join(', ') },
    },
  });
  const cells = worldOf(new Map([[0, [[1, at(mark, 50)] as const]]]));
  await taken(store, facts, cells, [flightOf(3, 2, [[950, at(299, mark)]])]);
  return facts;
}

/** Of one incarnation, as text: heads, rows, channels, inboxes, and whether it may be worked on. */
export async function contentOf(url: string, world: string, incarnation: number): Promise<string> {
  const cells = [...Array(GRID.cells).keys()];
  const found: unknown[] = [];
  for (const layer of LAYERS) {
    const place = { url, world, incarnation, layer, layers: LAYERS, grid: GRID };
    const admin = await openWorldAdmin(place);
    const store = await openLiveStore(place);
    try {
      found.push(await admin.blocks(), (await store.heads(cells)).map(headOf));
      found.push(await store.load(cells.map((cell) => ({ cell }))));
      found.push(await Promise.all(cells.map((cell) => store.channel(cell, 0))));
      const posts = await store.inboxes(cells.map((cell) => ({ cell, after: 0 })));
      found.push(posts.map((of) => of.map(({ id, body }) => ({ id, body }))));
    } finally {
      await store.close();
      await admin.close();
    }
  }
  return JSON.stringify(plain(found));
}

type Head = Awaited<ReturnType<Awaited<ReturnType<typeof openLiveStore>>['heads']>>[number];

function headOf(head: Head) {
  if ('tag' in head) return head;
  const { cell, seq, hash, tick, idCounter, asked, outSeq, cursors } = head;
  return { cell, seq, hash, tick, idCounter, asked, outSeq, cursors: [...cursors] };
}
