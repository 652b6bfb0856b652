/** A hub on a small living world in the same process, for tests. */
import { openPods } from '@leasehold/pod/pods-fixture';
import { openTwinPlanStore, openTwinStore } from '@leasehold/twin-store';
import { TestClient } from './client-fixture.ts';
import { type HubParts, ViewHub } from './hub.ts';
import type { ViewLimits } from './limits.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const WORLD = { world: 'w', incarnation: 1, layer: 'main' } as const;
const FACTS = { gateway: 'g', ...WORLD, tickHz: 20, mode: 'realtime', canKill: false } as const;

export type Pods = Awaited<ReturnType<typeof openPods>>;

/** One more gateway on a world. */
export function openHub(
  world: Pods,
  limits: Partial<ViewLimits> = {},
  name = 'gateway',
  more: Pick<HubParts, 'isWarm' | 'past'> = {},
): ViewHub {
  const { schema, spatial } = world.engine;
  const store = openTwinStore(world.server, { ...WORLD, pod: name });
  const hub = new ViewHub({
    ...{
      store,
      planStore: openTwinPlanStore(world.server, { ...WORLD, name }),
      schema,
      grid: world.grid,
      clock: world.clock,
      log: silent,
      facts: FACTS,
      limits,
      ...more,
    },
    ...(spatial === undefined ? {} : { spatial }),
  });
  hub.start();
  return hub;
}

/** A world with one pod that holds all of it, and a gateway. */
export async function openView(limits: Partial<ViewLimits> = {}, seed = 1) {
  const world = await openPods({ mode: 'realtime', seed });
  void world.start('pod-0');
  await world.clock.advance(1_500);
  const hub = openHub(world, limits);
  const at = { schema: world.engine.schema, grid: world.grid };
  return {
    world,
    hub,
    join: (of: ViewHub = hub) => new TestClient(of, at),
    advance: (ms: number) => world.clock.advance(ms),
    async close(): Promise<void> {
      const stop = hub.stop();
      await world.clock.advance(5_000);
      await stop;
      await world.close();
    },
  };
}
