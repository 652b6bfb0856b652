/** A world for benchmarks: drifting entities in a grid of cells, on a private Redis. */

import { openLiveStore, openWorldAdmin } from '@leasehold/live-store';
import { Holding } from '@leasehold/pod/holding';
import { type AcquireReply, type Commit, entryHash, SEED_EPOCH } from '@leasehold/protocol';
import { component, f64, simulation, system } from '@leasehold/sdk';
import { compile } from '@leasehold/sdk/engine';
import { Grid } from '@leasehold/spatial';
import { startRedis } from './redis.ts';

const CELL = 100;
const TTL_MS = 60_000;

/** The world with every cell held, as a pod would hold it. */
export async function openHeldDrift(side: number, perCell: number) {
  const world = await openDrift(side, perCell);
  const { engine, store, grid } = world;
  const grants = await world.acquireAll();
  const images = await store.load(grants.map(({ claim }) => ({ cell: claim.cell })));
  const holdings = grants.map(({ claim, head }, i) => {
    const state = engine.createCell(claim.cell);
    const image = images[i];
    if (image !== undefined) state.restore(image);
    return new Holding(claim, grid.blockOf(claim.cell), state, head, 0);
  });
  return {
    ...world,
    holdings,
    /** Simulates the next tick of every cell; nothing is written yet. */
    step() {
      return holdings.map((holding) => {
        const { state, outSeq } = holding;
        const tick = state.tick + 1;
        const view = () => undefined;
        return { holding, tick, result: state.step({ tick, outSeq, arrivals: [], view }) };
      });
    },
    /** Writes commits of all cells in the order of `step`, and has each holding take its reply. */
    async write(commits: readonly Commit[]): Promise<void> {
      const replies = await store.commit(commits);
      for (const [i, reply] of replies.entries()) {
        if (reply.tag !== 'OK') throw new Error(`commit refused: ${JSON.stringify(reply)}`);
        holdings[i]?.settle(0, false);
      }
    },
  };
}

/** `side` × `side` cells with `perCell` entities each, every one of which moves in every tick. */
export function compileDrift(side: number, perCell: number) {
  const grid = new Grid(
    { kind: 'torus', width: side * CELL, height: side * CELL, cell: CELL },
    { blockCells: 4 },
  );
  const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
  const drift = system({
    name: 'drift',
    writes: { position: Position },
    each({ position }, { tick }) {
      // To and fro, so that the work of every tick is the same and nobody crosses a border.
      const step = tick % 2 === 0 ? 0.25 : -0.25;
      position.x += step;
      position.y += step;
    },
  });
  const world = simulation({
    components: [Position],
    systems: [drift],
    seed({ random, spawn }) {
      for (let cell = 0; cell < grid.cells; cell++) {
        for (let i = 0; i < perCell; i++) {
          const x = grid.minX(cell) + random.between(1, CELL - 1);
          spawn(Position({ x, y: grid.minY(cell) + random.between(1, CELL - 1) }));
        }
      }
    },
  });
  const engine = compile(world, { layer: 'main', grid, seed: 1, tickHz: 20, params: {} });
  return { grid, engine, Position };
}

/** Where a drifting world is stored. */
export const placeOf = (url: string, grid: Grid) =>
  ({ url, world: 'bench', incarnation: 1, layer: 'main', grid }) as const;

/** That world, stored in a Redis of its own. */
export async function openDrift(side: number, perCell: number) {
  const { grid, engine, Position } = compileDrift(side, perCell);
  const redis = await startRedis();
  const at = placeOf(redis.url, grid);
  const admin = await openWorldAdmin(at);
  await admin.createBlocks();
  const seeds = await engine.seed();
  await admin.createCells(
    [...seeds].map(([cell, { body, idCounter }]) => ({
      ...{ cell, body, idCounter },
      hash: entryHash('', 1, SEED_EPOCH, 0, body),
    })),
  );
  await admin.close();
  const store = await openLiveStore(at);
  return {
    ...{ grid, engine, redis, store, Position },
    async acquireAll(): Promise<Extract<AcquireReply, { tag: 'GRANTED' }>[]> {
      const requests = [...Array(grid.cells).keys()].map((cell) => ({
        ...{ cell, ttlMs: TTL_MS },
        nonce: `bench.${cell}`,
      }));
      return (await store.acquire(requests)).map((reply) => {
        if (reply.tag !== 'GRANTED') throw new Error(`not granted: ${JSON.stringify(reply)}`);
        return reply;
      });
    },
    ttlMs: TTL_MS,
    async close(): Promise<void> {
      await store.close();
      await redis.stop();
    },
  };
}
