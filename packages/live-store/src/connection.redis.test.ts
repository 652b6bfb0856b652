/** What a user sees when the address, the password, the server or a name is wrong. */
import { canStartRedis, eventually, openProxy, startRedis, useRedis } from '@leasehold/testkit';
import { describe, expect, test } from 'vitest';
import { LIBRARY, librarySource, openLiveStore, openWorldAdmin } from './index.ts';
import { Keys } from './keys.ts';
import { bytes, GRID, hold, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);
const facts = { incarnation: 1, layer: 'main', grid: GRID };

describe('an address that is wrong', () => {
  test('nobody listens: REDIS_UNREACHABLE, with the address and without the password', async () => {
    const url = 'redis://user:secret@127.0.0.1:1';
    const opening = openLiveStore({ ...facts, url, world: 'w' });
    await expect(opening).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    await expect(opening).rejects.not.toThrow('secret');
  });

  test.skipIf(!canStartRedis())('a wrong password is REDIS_AUTH', async () => {
    const server = await startRedis({ args: ['--requirepass', 'right'] });
    for (const user of ['', ':wrong@']) {
      const url = `redis://${user}127.0.0.1:${server.port}`;
      const opening = openLiveStore({ ...facts, url, world: 'w' });
      await expect(opening).rejects.toMatchObject({ code: 'REDIS_AUTH' });
    }
    await server.stop();
  });

  test.skipIf(!canStartRedis())('a replica is REDIS_READONLY', async () => {
    const primary = await startRedis();
    const replica = await startRedis({ replicaOf: primary.port });
    const opening = openWorldAdmin({ ...facts, url: replica.url, world: 'w' });
    await expect(opening).rejects.toMatchObject({ code: 'REDIS_READONLY' });
    await replica.stop();
    await primary.stop();
  });

  test('what is no address of Redis is SETTING_INVALID', async () => {
    for (const url of ['http://127.0.0.1', 'localhost', '']) {
      const opening = openLiveStore({ ...facts, url, world: 'w' });
      await expect(opening).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    }
  });
});

describe('names in keys', () => {
  test.each(['{a}', 'a}b', '', 'a b', 'a*', 'a.b', 'é', 'x'.repeat(65)])(
    'a world or layer called %o is refused: it would move keys to another slot or tenant',
    (name) => {
      for (const [named, layer] of [
        [name, 'main'],
        ['w', name],
      ] as const) {
        expect(() => new Keys(named, 1, layer, GRID)).toThrow(
          expect.objectContaining({ code: 'NAME_INVALID' }),
        );
      }
    },
  );

  test('all keys of a cell share the slot of its block', () => {
    const keys = new Keys('w', 3, 'main', GRID);
    const { cell: _, cold: _cold, place: _place, ...named } = keys.cell(9);
    for (const key of Object.values(named)) expect(key).toMatch(/^\{w\.3\.0\.0\}:/);
    expect(keys.cell(9).block).toBe(keys.cell(27).block);
    expect(keys.cell(9).block).not.toBe(keys.cell(36).block);
    expect(() => new Keys('w', -1, 'main', GRID)).toThrow(
      expect.objectContaining({ code: 'SETTING_INVALID' }),
    );
  });
});

describe('a connection that breaks', () => {
  test('L5 counts as connected anew, so nobody is revoked on a hunch', async () => {
    const proxy = await openProxy({ target: Number(new URL(at.url).port) });
    const kinds: string[] = [];
    const store = await world.open({ url: proxy.url, onEvent: ({ kind }) => kinds.push(kind) });
    await eventually(() => store.status().connectedForMs > 150, 1_000);
    const { runId } = store.status();
    proxy.cut();
    await eventually(() => !store.status().isConnected, 1_000);
    expect(store.status().connectedForMs).toBe(0);
    await eventually(() => store.status().isConnected, 3_000);
    expect(store.status()).toMatchObject({ runId });
    expect(store.status().connectedForMs).toBeLessThan(150);
    expect(kinds).toContain('disconnected');
    expect(kinds).toContain('connected');
    await store.close();
    await proxy.close();
  });

  test('a pod is heard and known again after it', async () => {
    const proxy = await openProxy({ target: Number(new URL(at.url).port) });
    const [store, other] = [await world.open({ url: proxy.url }), await world.open()];
    const heard: string[] = [];
    await store.announce('a', 1, (message) => heard.push(message));
    proxy.cut();
    await eventually(async () => !(await other.connected(['a'])).has('a'), 1_000);
    expect((await other.pods()).map(({ pod }) => pod)).toEqual(['a']);
    await eventually(async () => (await other.connected(['a'])).has('a'), 3_000);
    await other.notify('a', 'hello');
    await eventually(() => heard.length === 1, 1_000);
    await store.close();
    await proxy.close();
  });

  test('L5 a pod says at once that it is back, before others may call it silent', async () => {
    const proxy = await openProxy({ target: Number(new URL(at.url).port) });
    const [store, other] = [await world.open({ url: proxy.url }), await world.open()];
    await store.announce('a', 1, () => undefined);
    for (let n = 0; n < 4; n++) {
      proxy.cut();
      await eventually(() => !store.status().isConnected);
      await eventually(() => store.status().isConnected);
      const backMs = other.nowMs();
      await eventually(async () => ((await other.pods())[0]?.seenAtMs ?? 0) >= backMs - 100, 300);
    }
    await store.close();
    await other.close();
    await proxy.close();
  });

  test('a pod that is gone for good is dropped from the list', async () => {
    const store = await world.open();
    const { pods } = world.keys;
    const dead = {
      pod: 'dead',
      layer: 'main',
      state: 'ready',
      pid: 1,
      startedAtMs: 0,
      seenAtMs: 0,
    };
    await at.redis.hset(pods, 'dead', JSON.stringify({ ...dead, report: {} }));
    expect(await store.pods()).toEqual([]);
    expect(await at.redis.hexists(pods, 'dead')).toBe(0);
  });
});

describe('the function library', () => {
  test('can be loaded under another name beside the own one', async () => {
    const library = 'leasehold_test';
    await world.admin.loadFunctions(librarySource(library));
    const holder = await hold(await world.open({ library }), 5);
    await holder.commit();
    expect(await at.redis.call('FUNCTION', 'LIST')).toHaveLength(2);
    await at.redis.call('FUNCTION', 'DELETE', library);
    await holder.commit();
  });

  test('that is another build under the own name is replaced', async () => {
    const broken = librarySource().replaceAll("'OK', now_ms", "'BAD', now_ms");
    await world.admin.loadFunctions(broken);
    const holder = await hold(await world.open(), 5);
    await holder.commit();
    expect(librarySource()).toContain(`name=${LIBRARY}\n`);
  });
});

describe('forgetting', () => {
  test('leaves no key of the incarnation, and every key of others', async () => {
    const store = await world.open();
    const holders = await Promise.all([1, 5, 40].map((cell) => hold(store, cell)));
    for (const holder of holders) await holder.commit({ checkpoint: bytes('state') });
    await store.feed({ kind: 'jump', pod: 'a', facts: {} });
    const url = at.url;
    const next = await openWorldAdmin({ ...facts, url, world: at.world, incarnation: 12 });
    await next.createBlocks();
    expect(await next.incarnations()).toEqual([1, 12]);
    await world.admin.forget();
    expect(await next.incarnations()).toEqual([12]);
    const left = await at.redis.keys(`*${at.world}*`);
    expect(left).toHaveLength(GRID.blocks);
    expect(left.every((key) => key.startsWith(`{${at.world}.12.`))).toBe(true);
    await next.forget();
    await next.close();
  });
});
