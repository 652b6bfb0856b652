/**
 * Goal: a cell sleeps in all layers of a world or in none, and whatever comes to it in one of them is
 * heard of in the others. Method: three layers on the twin store, each with pods and an authority.
 */
import { regionsByLoad } from '@leasehold/plan';

import { censusOf, type LayerName, NAMES, openLayers } from '@leasehold/pod/layers-fixture';
import type { EntityRequest, Store } from '@leasehold/protocol';
import { encodeRequest } from '@leasehold/protocol';
import { openTwinPlanStore } from '@leasehold/twin-store';
import { expect, test } from 'vitest';
import { Authority } from './authority.ts';
import { dolmens } from './dolmens-fixture.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const CORNER = 0;
const FAR = 36;
/** Of whoever is created from outside, as the store gives them out. */
const ID_BASE = 2 ** 52;
const IDS_PER_CELL = 2 ** 32;
const PEOPLE = 12;
const IDLE_MS = 1_000;
/** Until the plan lets sleep what may, and nobody holds it. */
const SETTLED_TICKS = 200;
const TICKS = 60;
/** A word of a death that was told twice looks for whoever died for a minute. */
const PATIENT_TURNS = 8;

async function opened(options: { readonly sleepsStill: boolean; readonly ticks: number }) {
  const { sleepsStill, ticks } = options;
  const still = sleepsStill ? { stillMs: IDLE_MS } : {};
  const world = await openLayers({ mode: 'realtime', world: dolmens(PEOPLE, ticks), ...still });
  const { server, clock, grid } = world;
  for (const layer of NAMES) {
    for (const pod of ['a', 'b']) await world.start(layer, `${layer}-${pod}`);
  }
  const stores = NAMES.map((layer) => {
    const at = { world: 'w', incarnation: 1, layer, name: `plans-${layer}` };
    return openTwinPlanStore(server, at);
  });
  const [home, ...others] = stores;
  const authorities = stores.map((store, i) => {
    const layers = store === home ? { others } : home && { home };
    return new Authority({
      ...{ name: `authority-${i}`, store, ...layers, grid, tickHz: 20, policy: regionsByLoad },
      ...{ clock, log: silent, settings: { idleMs: IDLE_MS, sleepsStill } },
    });
  });
  for (const authority of authorities) authority.start();
  const watcher = (layer: LayerName) => world.watchers.get(layer) as Store;
  return {
    world,
    authorities,
    /** Nobody plans the layers besides that of home any more. */
    async leaveHome(): Promise<void> {
      const stopping = Promise.all(authorities.slice(1).map((authority) => authority.stop()));
      await world.pass(20);
      await stopping;
    },
    /** Layers in which nobody holds a cell. */
    async sleepingIn(cell: number): Promise<string[]> {
      const found: string[] = [];
      for (const layer of NAMES) {
        const [head] = await watcher(layer).heads([cell]);
        if (head !== undefined && !('tag' in head) && head.nonce === '') found.push(layer);
      }
      return found;
    },
    async ask(layer: LayerName, cell: number, request: EntityRequest): Promise<void> {
      await watcher(layer).post([
        { cell, id: `${request.kind}-${cell}`, body: encodeRequest(request) },
      ]);
      await world.pass(SETTLED_TICKS / 2);
    },
    /** Ids of each layer. */
    async everybody(): Promise<number[][]> {
      const cells = await world.cells();
      return NAMES.map((layer) => censusOf(cells.get(layer) ?? [], 0).ids);
    },
    /** Of the home layer, as it decided what sleeps. */
    causes: async () => (await home?.journal('', 1_000))?.map(({ cause }) => cause) ?? [],
    plans: () => Promise.all(stores.map((store) => store.plan())),
    async close(): Promise<void> {
      const stopping = Promise.all(authorities.map((authority) => authority.stop()));
      await world.pass(20);
      await stopping;
      await world.close();
    },
  };
}

/** The same in each layer. */
const three = (ids: readonly number[] | undefined): unknown[] => NAMES.map(() => ids);

test.each([
  ['and all are planned', false],
  ['and home alone is planned by then', true],
])(
  'what is empty sleeps in all, and wakes in all for whoever is born there: %s',
  async (_, isAlone) => {
    const made = await opened({ sleepsStill: false, ticks: 0 });
    const { world } = made;
    await world.pass(SETTLED_TICKS);
    const [home, ...others] = await made.plans();
    const far = await made.sleepingIn(FAR);
    const corner = await made.sleepingIn(CORNER);
    if (isAlone) await made.leaveHome();
    const id = ID_BASE + FAR * IDS_PER_CELL + 1;
    await made.ask('motion', FAR, {
      kind: 'create',
      entities: [{ id, components: { position: { x: 45, y: 45 }, litter: {}, purse: {} } }],
    });
    const [before] = await made.everybody();
    const born = await made.everybody();
    const awake = await made.sleepingIn(FAR);
    await made.ask('motion', FAR, { kind: 'delete', id });
    const dead = await made.everybody();
    await made.close();
    expect(home?.asleep).not.toEqual([]);
    for (const other of others) expect(other?.asleep).toEqual(home?.asleep);
    expect({ far, corner }).toEqual({ far: NAMES, corner: [] });
    expect(born).toEqual(three(before));
    expect(before).toContain(id);
    expect(awake).toEqual([]);
    expect(dead).toEqual(three(before?.filter((each) => each !== id)));
  },
);

test('where somebody stands still no layer sleeps before something has ended in the last', async () => {
  const made = await opened({ sleepsStill: true, ticks: SETTLED_TICKS + TICKS });
  const { world } = made;
  await world.pass(SETTLED_TICKS);
  const burning = await made.sleepingIn(CORNER);
  await world.pass(SETTLED_TICKS);
  const burnt = await made.sleepingIn(CORNER);
  await made.close();
  expect({ burning, burnt }).toEqual({ burning: [], burnt: NAMES });
});

test.each([...NAMES].reverse())(
  'E2 of who dies in the layer %s, while the cell sleeps in all, nothing is left in any',
  async (layer) => {
    const made = await opened({ sleepsStill: true, ticks: 0 });
    const { world } = made;
    await world.pass(SETTLED_TICKS);
    const slept = await made.sleepingIn(CORNER);
    const [all = []] = await made.everybody();
    const [id = -1, ...rest] = all;
    const set = { energy: { n: -1 } };
    const request: EntityRequest =
      layer === 'metabolism' ? { kind: 'patch', id, set, remove: [] } : { kind: 'delete', id };
    await made.ask(layer, CORNER, request);
    const left = await made.everybody();
    let again: string[] = [];
    for (let i = 0; i < PATIENT_TURNS && again.length < NAMES.length; i++) {
      await world.pass(SETTLED_TICKS);
      again = await made.sleepingIn(CORNER);
    }
    const later = await made.everybody();
    await made.close();
    expect(slept).toEqual(NAMES);
    expect(all).toHaveLength(PEOPLE);
    expect(left).toEqual(three(rest));
    expect(later).toEqual(three(rest));
    expect(again).toEqual(NAMES);
  },
);
