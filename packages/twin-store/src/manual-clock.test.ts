import { expect, test } from 'vitest';
import { ManualClock } from './index.ts';

test('sleepers wake at their moments, in order, and on abort', async () => {
  const clock = new ManualClock();
  const woken: string[] = [];
  const sleep = (name: string, ms: number, signal?: AbortSignal) =>
    clock.sleep(ms, signal).then(() => woken.push(`${name} ${clock.nowMs()}`));
  const abort = new AbortController();
  const all = Promise.all([sleep('b', 20), sleep('a', 10), sleep('c', 99, abort.signal)]);
  await clock.advance(15);
  expect(woken).toEqual(['a 10']);
  await clock.advance(10);
  expect(woken).toEqual(['a 10', 'b 20']);
  abort.abort();
  await all;
  expect(woken).toEqual(['a 10', 'b 20', 'c 25']);
});

test('a loop that sleeps again is woken again within one advance', async () => {
  const clock = new ManualClock();
  const woken: number[] = [];
  const loop = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(10);
      woken.push(clock.nowMs());
    }
  };
  const done = loop();
  await clock.advance(30);
  await done;
  expect(woken).toEqual([10, 20, 30]);
  expect(clock.nowMs()).toBe(30);
});
