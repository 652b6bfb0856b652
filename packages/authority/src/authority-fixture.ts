/** Authorities and pods on the twin store, for tests; a tick costs what entities are said to cost. */
import { type Policy, regionsByLoad } from '@leasehold/plan';
import { openPods, wanderers } from '@leasehold/pod/pods-fixture';
import type { CellLoad, PlanStore } from '@leasehold/protocol';
import { openTwinPlanStore } from '@leasehold/twin-store';
import { Authority } from './authority.ts';
import type { AuthoritySettings } from './settings.ts';

const ENTITY_MS = 0.1;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

export type World = Awaited<ReturnType<typeof openPods>>;

/** What is said of a cell instead of what its pod says. */
export type Cost = (load: CellLoad) => Partial<CellLoad>;

/** What pods say of their cells, with the cost that each entity is said to have. */
async function costly(store: PlanStore, cost: Cost): ReturnType<PlanStore['loads']> {
  const loads = [...(await store.loads())];
  return new Map(
    loads.map(([pod, cells]) => [pod, cells.map((load) => ({ ...load, ...cost(load) }))]),
  );
}

export function openAuthority(
  world: World,
  name: string,
  settings: Partial<AuthoritySettings> = {},
  policy: Policy = regionsByLoad,
  cost: Cost = ({ entities }) => ({ tickMs: entities * ENTITY_MS }),
) {
  const { server, grid, clock } = world;
  const store = openTwinPlanStore(server, { world: 'w', incarnation: 1, layer: 'main', name });
  const measured = new Proxy<PlanStore>(store, {
    get(_, of: keyof PlanStore) {
      return of === 'loads' ? () => costly(store, cost) : store[of].bind(store);
    },
  });
  const authority = new Authority({
    ...{ name, store: measured, grid, tickHz: 20, policy, clock },
    log: silent,
    settings,
  });
  authority.start();
  return { authority, store };
}

export async function settled(
  names: readonly string[],
  simulated = wanderers,
  stillMs?: number,
): Promise<World> {
  const still = stillMs === undefined ? {} : { stillMs };
  const world = await openPods({ mode: 'realtime', simulation: simulated, ...still });
  for (const name of names) void world.start(name, names.length);
  await world.clock.advance(3_000);
  return world;
}

export async function closed(world: World, authorities: readonly Authority[]): Promise<void> {
  const stopping = Promise.all(authorities.map((authority) => authority.stop()));
  await world.clock.advance(1_000);
  await stopping;
  await world.close();
}
