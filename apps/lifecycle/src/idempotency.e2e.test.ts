/**
 * Goal: however often requests are repeated, at once or later, at any replica, the world is as if each
 * had been made once, in the order of their first answers.
 * Method: a model that knows each key once; seeded histories; a replica is killed on the way.
 */
import { createRandom } from '@leasehold/kernel';
import { openLiveStore } from '@leasehold/live-store';
import { Grid } from '@leasehold/spatial';
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, LifecycleWorld, type Service } from './lifecycle-fixture.ts';

const SEED = Number(process.env['SIM_SEED'] ?? 5);
const STEPS = Number(process.env['LIFECYCLE_STEPS'] ?? 150);

const at = useRedis();
let world: LifecycleWorld;
let services: Service[];

beforeAll(async () => {
  world = await LifecycleWorld.seed(at.url);
  services = await Promise.all([world.startService(), world.startService()]);
  await world.startPod();
});
afterAll(async () => {
  await world?.close();
});

type Lamp = { name: string; strikes: number };
type Asked = { readonly path: string; readonly method: string; readonly body?: unknown };

test(`M1 repeated requests are done once (SIM_SEED=${SEED})`, async () => {
  const random = createRandom(SEED);
  const alive = new Map<number, Lamp>();
  const past: { readonly key: string; readonly asked: Asked; readonly answer: Answer }[] = [];

  const ask = (key: string, { path, method, body }: Asked): Promise<Answer> => {
    const service = services[random.below(services.length)] as Service;
    const headers = { 'idempotency-key': key };
    return service.ask(`${path}?wait=applied`, { method, body, headers });
  };
  const next = (step: number): { asked: Asked; done: (answer: Answer) => void } => {
    const ids = [...alive.keys()];
    const id = ids[random.below(Math.max(1, ids.length))];
    const kind = id === undefined ? 0 : random.below(5);
    if (id === undefined || kind < 2) {
      const name = `model-${step}`;
      const body = { components: { place: { x: random.between(0, 200), y: 50 }, lamp: { name } } };
      const done = ({ body }: Answer): void =>
        void alive.set(body.entities[0], { name, strikes: 0 });
      return { asked: { path: '/entities', method: 'POST', body }, done };
    }
    const lamp = alive.get(id) as Lamp;
    if (kind === 2) {
      const body = { set: { lamp: { name: `model-${step}` } } };
      const done = (): void => {
        lamp.name = `model-${step}`;
      };
      return { asked: { path: `/entities/${id}`, method: 'PATCH', body }, done };
    }
    if (kind === 3) {
      const body = { entity: id, event: 'strike', payload: { times: 2 } };
      const done = (): void => {
        lamp.strikes += 2;
      };
      return { asked: { path: '/events', method: 'POST', body }, done };
    }
    const done = (): void => void alive.delete(id);
    return { asked: { path: `/entities/${id}`, method: 'DELETE' }, done };
  };

  for (let step = 0; step < STEPS; step++) {
    if (step === Math.floor(STEPS / 2)) {
      services[0]?.process.kill('SIGKILL');
      services = services.slice(1);
    }
    const old = past[random.below(Math.max(1, past.length))];
    if (old !== undefined && random.chance(0.3)) {
      const again = await ask(old.key, old.asked);
      expect(again.status, `step ${step} ${old.key}`).toBe(old.answer.status);
      expect(again.body).toEqual(old.answer.body);
      const other = await ask(old.key, { ...old.asked, body: { set: { lamp: { name: 'no' } } } });
      expect(other.status, `step ${step}`).toBeGreaterThanOrEqual(400);
      continue;
    }
    const { asked, done } = next(step);
    const key = `key-${SEED}-${step}`;
    const times = 1 + random.below(3);
    const answers = await Promise.all(Array.from({ length: times }, () => ask(key, asked)));
    const [answer] = answers;
    for (const each of answers) {
      expect(each.status, `step ${step} ${JSON.stringify(each.body)}`).toBeLessThan(300);
      expect(each.body).toEqual(answer?.body);
    }
    done(answer as Answer);
    past.push({ key, asked, answer: answer as Answer });
  }
  const of = services[0] as Service;
  await expect
    .poll(() => modelled(of), { timeout: 10_000 })
    .toEqual(new Map([...alive].sort(byId)));
});

const byId = ([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number => a - b;

/** The lamps that this test has made, as the world has them. */
async function modelled(service: Service): Promise<Map<number, Lamp>> {
  const { body } = await service.ask('/entities?world&limit=1000&where=lamp.name,ge,model');
  type Row = { id: number; components: { lamp: Lamp } };
  return new Map(
    (body.entities as Row[]).map(({ id, components: { lamp } }) => {
      return [id, { name: lamp.name, strikes: lamp.strikes }];
    }),
  );
}

test('M1 letters that found nobody are listed, and sent once more, once', async () => {
  const [service] = services as [Service];
  const { body } = await service.ask('/entities?world&where=lamp.strikes,eq,11&limit=1');
  const { id } = body.entities[0];
  const grid = new Grid({ kind: 'torus', width: 200, height: 100, cell: 25 }, { blockCells: 2 });
  const facts = { url: at.url, world: world.name, incarnation: 1, layer: 'main', grid };
  const store = await openLiveStore(facts);
  const letter = (n: number, to: number) => ({
    ...{ id: `1:${n}:0`, atMs: 1_000 + n, tick: n, cell: 1, to, from: 0, event: 'strike' },
    ...({ payload: { times: 1_000 }, reason: 'GONE', message: 'it was nowhere' } as const),
  });
  await store.addDeadLetters([letter(1, id), letter(2, 999)]);
  await store.close();
  const listed = await service.ask('/dead-letters?limit=10');
  expect(listed.body.letters).toEqual([letter(1, id), letter(2, 999)]);
  const replay = () => service.post('/dead-letters/replay', { ids: ['1:1:0', '1:2:0', '9:9:9'] });
  const both = await Promise.all([replay(), replay()]);
  expect(both[0]?.body).toMatchObject({ gone: ['1:2:0'] });
  expect((await replay()).body).toEqual({
    ...{ replayed: 0, gone: ['1:2:0'], unknown: ['1:1:0', '9:9:9'] },
  });
  const strikes = async () => {
    const found = await service.ask(`/entities/${id}`);
    return found.body.components.lamp.strikes;
  };
  await expect.poll(strikes, { timeout: 5_000 }).toBe(1_011);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await strikes()).toBe(1_011);
});
