/** What a server keeps for the life of entities: what bounds it, and what it does to a wrong key. */
import { ANSWER_KEPT_S, type DeadLetter } from '@leasehold/protocol';
import { useRedis } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { Keys, slotOf } from './keys.ts';
import { GRID, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);

const letter = (number: number, payload: string): DeadLetter => ({
  ...{ id: `5:${number}:0`, atMs: 1_000 + number, tick: number, cell: 5, to: 1, from: 0 },
  ...{ event: 'hit', payload: { payload }, reason: 'GONE', message: '' },
});

test('an answer is kept for an hour', async () => {
  const store = await world.open();
  await store.putAnswers([{ id: 'x', answer: { tag: 'APPLIED', cell: 5, tick: 7 } }]);
  const ttlS = await at.redis.ttl(world.keys.answer('x'));
  expect(ttlS).toBeGreaterThan(ANSWER_KEPT_S - 60);
  expect(ttlS).toBeLessThanOrEqual(ANSWER_KEPT_S);
});

test('deaths are remembered for a while: of a slot the last 1,024', async () => {
  const store = await world.open();
  const ids = Array.from({ length: 1_100 }, (_, i) => 64 * (i + 1));
  await store.noteWhereabouts(ids.map((id) => ({ id, cell: -1, tick: 9 })));
  const { dir, died } = world.keys.whereabouts(0);
  expect(await at.redis.hlen(dir)).toBe(1_024);
  expect(await at.redis.llen(died)).toBe(1_024);
});

test('letters together have at most 32 MB: the oldest go', async () => {
  const store = await world.open();
  const text = 'x'.repeat(60_000);
  for (let i = 0; i < 600; i += 50) {
    await store.addDeadLetters(Array.from({ length: 50 }, (_, j) => letter(i + j, text)));
  }
  const kept = await store.deadLetters(10_000);
  expect(kept.length).toBeGreaterThan(500);
  expect(kept.at(-1)?.tick).toBe(599);
  expect(kept[0]?.tick).toBe(600 - kept.length);
  const bytes = Number(await at.redis.hget(world.keys.letters, 'bytes'));
  expect(bytes).toBeLessThanOrEqual(32 * 1024 * 1024);
  await store.dropDeadLetters(kept.map(({ id }) => id));
  expect(await at.redis.hgetall(world.keys.letters)).toEqual({ bytes: '0' });
});

test('a key of another type is found before the first write', async () => {
  const store = await world.open();
  const { died, dir } = world.keys.whereabouts(1);
  await at.redis.set(died, 'x');
  await expect(store.noteWhereabouts([{ id: 1, cell: 5, tick: 1 }])).rejects.toMatchObject({
    code: 'REDIS_REFUSED',
  });
  expect(await at.redis.exists(dir)).toBe(0);
  await at.redis.set(world.keys.letterOrder, 'x');
  await expect(store.addDeadLetters([letter(1, '')])).rejects.toMatchObject({
    code: 'REDIS_REFUSED',
  });
  expect(await at.redis.exists(world.keys.letters)).toBe(0);
});

test('layers, and worlds, keep letters and whereabouts of their own', () => {
  const keys = [
    new Keys('w', 1, 'a', GRID),
    new Keys('w', 1, 'b', GRID),
    new Keys('w', 2, 'a', GRID),
  ].flatMap((of) => {
    const { dir, died } = of.whereabouts(3);
    return [dir, died, of.letters, of.letterOrder];
  });
  expect(new Set(keys).size).toBe(keys.length);
  // Whoever asked one layer may be answered by another.
  const answers = [1, 2].flatMap((incarnation) =>
    ['a', 'b'].map((layer) => new Keys('w', incarnation, layer, GRID).answer('x')),
  );
  expect(new Set(answers).size).toBe(2);
});

test('ids and requests spread over all slots', () => {
  const bearers = Array.from({ length: 640 }, (_, i) => 7 * 2 ** 32 + i);
  const requests = Array.from({ length: 6_400 }, (_, i) => `request-${i}`);
  for (const of of [bearers, requests]) expect(new Set(of.map(slotOf)).size).toBe(64);
});
