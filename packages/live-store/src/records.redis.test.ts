import { useRedis } from '@leasehold/testkit';
import { expect, test } from 'vitest';
import { openLiveRecords } from './records.ts';
import { GRID, useWorld } from './world-fixture.ts';

const at = useRedis();
const world = useWorld(at);

test('of those who claim a record at once one writes it, and the others read theirs', async () => {
  const facts = { url: at.url, world: at.world, incarnation: 1, layer: 'main', grid: GRID };
  const records = await openLiveRecords(facts);
  try {
    const was = await Promise.all(['a', 'b', 'c'].map((text) => records.claim('k', 'x', text, 60)));
    expect(was.filter((text) => text === undefined)).toHaveLength(1);
    const kept = await records.read('k', 'x');
    expect(was.filter((text) => text === kept)).toHaveLength(2);
    await records.write('k', 'x', 'later', 60);
    expect(await records.read('k', 'x')).toBe('later');
    expect(await records.read('other', 'x')).toBeUndefined();
    expect(await at.redis.ttl(world.keys.record('k', 'x'))).toBeGreaterThan(50);
    await records.drop('k', 'x');
    expect(await records.read('k', 'x')).toBeUndefined();
    await records.write('k', 'y', 'gone with the world', 60);
    await world.admin.forget();
    expect(await records.read('k', 'y')).toBeUndefined();
  } finally {
    await records.close();
  }
});
