/**
 * Goal: an event that its handler cannot bear hurts nobody but itself.
 * Method: one poisonous letter among good ones; its handler throws, or its pod dies of it.
 */
import { openPods } from '@leasehold/pod/pods-fixture';
import { encodeRequest } from '@leasehold/protocol';
import { component, event, f64, simulation, system, u32 } from '@leasehold/sdk';
import { expect, test } from 'vitest';
import { mailCount } from './mailbag.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Got = component('got', 1, { total: u32 });
const Food = event('food', 1, { isPoison: u32 });
const ID = 1;
const GOOD = 7;

function eaters(die: () => void) {
  return simulation({
    components: [Position, Got],
    systems: [
      system({
        name: 'eat',
        on: { food: Food },
        emits: [Food],
        writes: { got: Got },
        each({ food, got }) {
          if (food.isPoison > 0) die();
          got.total += 1;
        },
      }),
    ],
    seed({ spawn }) {
      spawn(Position({ x: 5, y: 5 }), Got());
    },
  });
}

const food = (i: number, isPoison: number) => ({
  cell: 0,
  id: `food-${i}`,
  body: encodeRequest({ kind: 'event', id: ID, event: 'food', payload: { isPoison } }),
});

/** Good letters, and a bad one in the middle. */
const meal = Array.from({ length: GOOD + 1 }, (_, i) => food(i, i === 3 ? 1 : 0));

test('M1 an event whose handler throws is set aside as POISON, and all others take effect', async () => {
  const pods = await openPods({
    mode: 'realtime',
    simulation: eaters(() => {
      throw new Error('it tastes bad');
    }),
  });
  await pods.start('a');
  await pods.clock.advance(500);
  await pods.watcher.post(meal);
  await pods.clock.advance(3_000);
  expect(await mailCount(pods.watcher, pods.engine)).toMatchObject({ got: GOOD, dead: 1 });
  const [letter] = await pods.watcher.deadLetters(1);
  expect(letter).toMatchObject({ reason: 'POISON', to: ID, event: 'food' });
  const answers = await pods.watcher.answers(meal.map(({ id }) => id));
  expect(answers.map((answer) => answer?.tag)).toEqual(
    meal.map((_, i) => (i === 3 ? 'REFUSED' : 'APPLIED')),
  );
  await pods.close();
});

test('a post that nobody can understand is refused, and stops nothing', async () => {
  const pods = await openPods({ mode: 'realtime', simulation: eaters(() => undefined) });
  await pods.start('a');
  await pods.clock.advance(500);
  const noise = ['', '{', '{"kind":"patch"}', '\u0001'].map((text, i) => {
    return { cell: 0, id: `noise-${i}`, body: new TextEncoder().encode(text) };
  });
  await pods.watcher.post([...noise, ...meal]);
  await pods.clock.advance(1_000);
  const answers = await pods.watcher.answers(noise.map(({ id }) => id));
  const refused = { tag: 'REFUSED', code: 'VALUE_INVALID' };
  expect(answers).toMatchObject(noise.map(() => refused));
  expect(await mailCount(pods.watcher, pods.engine)).toMatchObject({ got: GOOD + 1, dead: 0 });
  await pods.close();
});

test('M1 an event that kills whoever takes it kills three pods at most', async () => {
  let dying = '';
  let deaths = 0;
  const pods = await openPods({
    mode: 'realtime',
    // As a process that ends in the middle of a tick: it commits nothing, and says nothing.
    simulation: eaters(() => {
      deaths++;
      dying = 'now';
      throw new Error('the process is gone');
    }),
    wrap: (store, pod) =>
      new Proxy(store, {
        get(_, name: keyof typeof store) {
          const of = store[name];
          if (name !== 'commit' || typeof of !== 'function') {
            return typeof of === 'function' ? of.bind(store) : of;
          }
          return async (...args: never[]) => {
            if (dying !== '' && pods.pods.has(pod)) await new Promise(() => undefined);
            return (of as (...given: never[]) => unknown).apply(store, args);
          };
        },
      }),
  });
  let names = 0;
  await pods.start(`pod-${names}`);
  await pods.clock.advance(500);
  await pods.watcher.post(meal);
  for (let step = 0; step < 2_000; step++) {
    await pods.clock.advance(5);
    if (dying === '') continue;
    for (const name of [...pods.pods.keys()]) pods.kill(name);
    dying = '';
    await pods.start(`pod-${++names}`);
  }
  expect(await mailCount(pods.watcher, pods.engine)).toMatchObject({ got: GOOD, dead: 1 });
  expect(deaths).toBeLessThanOrEqual(3);
  expect(deaths).toBeGreaterThan(0);
  await pods.close();
});
