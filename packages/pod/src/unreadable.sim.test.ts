/** What one cell that cannot be read does to all the others (design §5: it fails alone). */
import { LeaseholdError } from '@leasehold/kernel';
import type { Store } from '@leasehold/protocol';
import { simulation, system } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import { openPods, wanderers } from './pods-fixture.ts';

const unreadable = (): LeaseholdError =>
  new LeaseholdError('BODY_MALFORMED', 'unreadable', { field: 'cell', value: '', remedy: 'none' });

type World = Awaited<ReturnType<typeof openPods>>;

/** Makes the newest entry of one busy cell unreadable, as one in a schema not known here is. */
function spoil(world: World, of: (nonce: string) => boolean = () => true): number {
  for (const [cell, { log, nonce }] of world.server.cells('w', 1, 'main')) {
    if (log.length < 3 || !of(nonce)) continue;
    (log.at(-1) as { body: Uint8Array }).body = new Uint8Array([1, 2, 3]);
    return cell;
  }
  throw new Error('no busy cell');
}

test('W1 one cell that cannot be loaded keeps no other cell from being held', async () => {
  const world = await openPods({ mode: 'realtime' });
  void world.start('a');
  await world.clock.advance(1_500);
  world.kill('a');
  spoil(world);
  void world.start('b');
  await world.clock.advance(10_000);
  const cells = world.pods.get('b')?.report()['cells'];
  await world.close();
  expect(cells).toBeGreaterThanOrEqual(60);
});

test('one followed cell that cannot be applied keeps no other channel from being read', async () => {
  const world = await openPods({ mode: 'realtime' });
  for (const name of ['a', 'b', 'c']) void world.start(name);
  await world.clock.advance(2_000);
  const records = world.server.cells('w', 1, 'main');
  const [bad] = [...records].find(([, { log }]) => log.length > 30) ?? [-1];
  for (let i = 0; i < 150; i++) {
    const last = records.get(bad)?.log.at(-1) as { body: Uint8Array };
    last.body = new Uint8Array([1, 2, 3]);
    await world.clock.advance(2);
  }
  await world.clock.advance(5_000);
  const nowTick = Math.max(...[...records.values()].map(({ tick }) => tick));
  const stuck = [...records].flatMap(([from, { out }]) =>
    out.filter(
      ({ seq, to, tick }) =>
        from !== bad &&
        to !== bad &&
        tick < nowTick - 60 &&
        seq > (records.get(to)?.cursors.get(from) ?? 0),
    ),
  );
  await world.close();
  expect(stuck.length).toBe(0);
});

test('one cell that cannot be reloaded keeps no other cell of its pod from ticking', async () => {
  let isThrowing = false;
  const moody = simulation({
    ...wanderers,
    systems: [
      ...wanderers.systems,
      system({
        name: 'moody',
        writes: {},
        each(_row, ctx) {
          if (isThrowing && ctx.random.chance(1)) throw new Error('moody');
        },
      }),
    ],
  });
  const world = await openPods({ mode: 'realtime', simulation: moody });
  void world.start('a');
  await world.clock.advance(1_500);
  spoil(world);
  isThrowing = true;
  await world.clock.advance(50);
  isThrowing = false;
  await world.clock.advance(500);
  const before = world.pods.get('a')?.report()['ticks'] ?? 0;
  await world.clock.advance(3_000);
  const after = world.pods.get('a')?.report()['ticks'] ?? 0;
  await world.close();
  expect(after - before).toBeGreaterThan(20);
});

test('W1 leases whose cells could not be read end soon, though their end was not heard at first', async () => {
  let isCut = false;
  let cuts = 0;
  const world = await openPods({
    mode: 'realtime',
    wrap: (store, pod) =>
      new Proxy(store, {
        get(_, name: keyof Store) {
          const of = store[name];
          if (typeof of !== 'function') return of;
          if (pod !== 'b' || !isCut) return of.bind(store);
          if (name === 'status') return () => ({ ...store.status(), isConnected: cuts === 0 });
          if (name !== 'barrier' && name !== 'release') return of.bind(store);
          cuts++;
          return () => Promise.reject(new Error('the connection is closed'));
        },
      }),
  });
  void world.start('a');
  await world.clock.advance(1_500);
  void world.start('b');
  await world.clock.advance(3_000);
  world.kill('a');
  isCut = true;
  await world.clock.advance(150);
  isCut = false;
  expect(cuts).toBeGreaterThan(0);
  await world.clock.advance(600);
  const cells = world.pods.get('b')?.report()['cells'];
  await world.close();
  expect(cells).toBe(64);
});

test('L5 cells that take longer to read than a lease lasts stay with who reads them', async () => {
  const world = await openPods({
    mode: 'realtime',
    wrap: (store, pod) =>
      new Proxy(store, {
        get(_, name: keyof Store) {
          const of = store[name];
          if (typeof of !== 'function') return of;
          if (name !== 'load' || pod === 'watcher') return of.bind(store);
          return async (...args: Parameters<Store['load']>) => {
            await world.clock.sleep(5_000);
            return store.load(...args);
          };
        },
      }),
  });
  void world.start('a');
  await world.clock.advance(4_000);
  const cells = [...Array(world.grid.cells).keys()];
  const requests = cells.map((cell) => ({ cell, nonce: `watcher.${cell}`, ttlMs: 2_000 }));
  const had = await world.watcher.acquire(requests);
  expect(had.filter(({ tag }) => tag !== 'HELD')).toEqual([]);
  await world.clock.advance(3_000);
  const held = world.pods.get('a')?.report()['cells'];
  await world.close();
  expect(held).toBe(64);
});

test('W1 in lockstep a pod that can follow no neighbour for now waits, and stays awake for all else', async () => {
  let isBlind = false;
  let looks = 0;
  const world = await openPods({
    mode: 'lockstep',
    wrap: (store, pod) =>
      new Proxy(store, {
        get(_, name: keyof Store) {
          const of = store[name];
          if (typeof of !== 'function') return of;
          if (pod !== 'b') return of.bind(store);
          if (name === 'status') {
            return () => {
              // Nothing that does not wait for anything comes to an end by itself.
              if (isBlind && ++looks > 20_000) throw new Error('it spins');
              return store.status();
            };
          }
          if (!isBlind) return of.bind(store);
          if (name === 'load') return () => Promise.reject(unreadable());
          if (name !== 'poll') return of.bind(store);
          return async (cursors: Parameters<Store['poll']>[0]) =>
            cursors.map(({ cell }) => ({ cell, resync: true, entries: [], out: [] }));
        },
      }),
  });
  for (const name of ['a', 'b']) void world.start(name);
  await world.clock.advance(1_500);
  isBlind = true;
  await world.clock.advance(3_000);
  const seen = looks;
  await world.close();
  expect(seen).toBeGreaterThan(0);
  expect(seen).toBeLessThan(20_000);
});
