/** Commands that a pod sends in a tick: a matter of cells, not of entities. */
import type { Benchmark } from './figure.ts';
import { openHeldDrift } from './world.ts';

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
        // What a connection says once a second is in it, too.
        ...{ target: 'the same', isMet: Math.round(many.commands) === Math.round(few.commands) },
      },
      {
        name: `bytes a tick and entity, ${name(256)}`,
        ...{ value: many.bytes / (256 * SIDE * SIDE), unit: 'bytes' },
      },
    ];
  },
};

async function perTick(perCell: number): Promise<{ commands: number; bytes: number }> {
  const world = await openHeldDrift(SIDE, perCell);
  try {
    const before = world.store.traffic();
    for (let n = 0; n < TICKS; n++) {
      await world.write(
        world
          .step()
          .map(({ holding, tick, result }) =>
            holding.prepare(tick, result, { arrivals: [], posts: [] }, world.ttlMs),
          ),
      );
    }
    const after = world.store.traffic();
    return {
      commands: (after.commands - before.commands) / TICKS,
      bytes: (after.bytes - before.bytes) / TICKS,
    };
  } finally {
    await world.close();
  }
}
