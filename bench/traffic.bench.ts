/** Commands that a pod sends in a tick: a matter of cells, not of entities. */
import { Holding } from '@leasehold/pod/holding';
import type { Benchmark } from './figure.ts';
import { openDrift } from './world.ts';

const SIDE = 8;
const TICKS = 50;

export const traffic: Benchmark = {
  tag: 'traffic',
  what: `commands and bytes of a tick of ${SIDE * SIDE} cells, by entities`,
  async run() {
    const few = await perTick(4);
    const many = await perTick(256);
    const name = (n: number) => `with ${(n * SIDE * SIDE).toLocaleString('en-US')} entities`;
    return [
      { name: `commands a tick, ${name(4)}`, value: few.commands, unit: '' },
      {
        ...{ name: `commands a tick, ${name(256)}`, value: many.commands, unit: '' },
        ...{ target: 'the same', isMet: many.commands === few.commands },
      },
      { name: `bytes a tick and entity, ${name(256)}`, value: many.bytes / (256 * SIDE * SIDE), unit: 'bytes' },
    ];
  },
};

async function perTick(perCell: number): Promise<{ commands: number; bytes: number }> {
  const world = await openDrift(SIDE, perCell);
  try {
    const { engine, store, grid } = world;
    const grants = await world.acquireAll();
    const images = await store.load(grants.map(({ claim }) => ({ cell: claim.cell })));
    const holdings = grants.map((grant, i) => {
      const state = engine.createCell(grant.claim.cell);
      const image = images[i];
      if (image !== undefined) state.restore(image);
      return new Holding(grant.claim, grid.blockOf(grant.claim.cell), state, grant.head, 0);
    });
    const before = store.traffic();
    for (let n = 0; n < TICKS; n++) {
      const commits = holdings.map((holding) => {
        const tick = holding.state.tick + 1;
        const result = holding.state.step({
          ...{ tick, outSeq: holding.outSeq, arrivals: [] },
          view: () => undefined,
        });
        return holding.prepare(tick, result, [], world.ttlMs);
      });
      for (const [i, { tag }] of (await store.commit(commits)).entries()) {
        if (tag !== 'OK') throw new Error(`commit refused: ${tag}`);
        holdings[i]?.settle(0, false);
      }
    }
    const after = store.traffic();
    return {
      commands: (after.commands - before.commands) / TICKS,
      bytes: (after.bytes - before.bytes) / TICKS,
    };
  } finally {
    await world.close();
  }
}
