/** Views over a real WebSocket: a gateway process, a pod, a Redis. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, useRedis } from '@leasehold/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, GatewayWorld } from './gateway-fixture.ts';
import { ViewSocket } from './view-socket-fixture.ts';

const at = useRedis();
const BIRDS = 200;
let world: GatewayWorld;
let gateway: Gateway;
/** Watches everything throughout: nothing that another client does may hurt it. */
let watcher: ViewSocket;

beforeAll(async () => {
  world = await GatewayWorld.seed(at.url, BIRDS);
  await world.startPod();
  gateway = await world.startGateway();
  watcher = await ViewSocket.open(gateway.viewUrl);
  await watcher.greet();
  watcher.subscribe(1, { kind: 'world' });
});

afterAll(() => world?.close());

/** After each test: whatever somebody did, the watcher is told of the next ticks. */
afterEach(async () => {
  const { deltas } = watcher;
  await eventually(() => watcher.deltas > deltas);
});

const open = () => ViewSocket.open(gateway.viewUrl);

test('a client is welcomed with the world, and a subscription becomes live with all entities', async () => {
  expect(watcher.welcome).toMatchObject({ world: world.name, tickHz: 20, mode: 'realtime' });
  await eventually(() => watcher.live === 1);
  await eventually(() => new Set(watcher.ids()).size === BIRDS);
});

describe('a client that breaks the rules is closed with the name of the rule', () => {
  test.each([
    ['garbage', 'not json', 4000, 'VIEW_MESSAGE_INVALID'],
    ['an unknown message', '{"type":"drop"}', 4000, 'VIEW_MESSAGE_INVALID'],
    ['a message before hello', '{"type":"status","on":true}', 4000, 'VIEW_MESSAGE_INVALID'],
    [
      'an unknown key',
      '{"type":"hello","protocol":1,"world":"","x":1}',
      4000,
      'VIEW_MESSAGE_INVALID',
    ],
    ['another version', '{"type":"hello","protocol":99,"world":""}', 4001, 'VIEW_VERSION'],
    ['another world', '{"type":"hello","protocol":1,"world":"mars"}', 4002, 'WORLD_UNKNOWN'],
  ])('%s', async (_, text, code, reason) => {
    const client = await open();
    client.socket.send(text);
    expect(await client.closed).toEqual({ code, reason });
  });

  test('a binary message', async () => {
    const client = await open();
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.closed).toEqual({ code: 4000, reason: 'VIEW_MESSAGE_INVALID' });
  });

  test('a message beyond 16 KB, by the WebSocket itself', async () => {
    const client = await open();
    client.hello().socket.send('x'.repeat(17 * 1024));
    expect((await client.closed).code).toBe(1009);
  });

  test('a flood of messages', async () => {
    const client = await open();
    await client.greet();
    for (let i = 0; i < 400; i++) client.say({ type: 'ping', at: i });
    expect(await client.closed).toEqual({ code: 4003, reason: 'RATE_EXCEEDED' });
  });

  test('silence: no hello within 5 s', async () => {
    const client = await open();
    expect(await client.closed).toEqual({ code: 4005, reason: 'READER_IDLE' });
  });
});

describe('a request that cannot be met is answered, and the connection goes on', () => {
  const refused = async (say: (client: ViewSocket) => void, code: string) => {
    const client = await open();
    await client.greet();
    say(client);
    const answer = await client.refusal(code);
    client.say({ type: 'ping', at: 7 });
    await eventually(() => client.answers.some(({ to }) => to === 'ping'));
    await client.close();
    return answer;
  };

  test('an area of NaN, which JSON says as null', async () => {
    const text = '{"type":"subscribe","id":1,"area":{"kind":"circle","x":null,"y":1,"radius":2}}';
    const answer = await refused((client) => client.socket.send(text), 'AREA_INVALID');
    expect(answer).toMatchObject({ to: 'subscribe', id: 1, field: 'area.x' });
  });

  test('a component that the layer does not have', async () => {
    await refused(
      (client) => client.subscribe(1, { kind: 'world' }, { components: ['wings'] }),
      'COMPONENT_UNKNOWN',
    );
  });

  test('an entity that does not live, to be around of', async () => {
    await refused(
      (client) => client.subscribe(1, { kind: 'around', entity: 999_999_999, radius: 5 }),
      'ENTITY_UNKNOWN',
    );
  });

  test('a subscription that was never made', async () => {
    await refused((client) => client.say({ type: 'unsubscribe', id: 9 }), 'SUBSCRIPTION_UNKNOWN');
  });

  test('more subscriptions than the limit: a thousand of them', async () => {
    const client = await open();
    const { limits } = await client.greet();
    for (let id = 1; id <= 1_000; id++) {
      client.subscribe(id, { kind: 'circle', x: id % 200, y: 5, radius: 3 });
      // Slower than a flood: 200 messages a second.
      if (id % 150 === 0) await sleep(1_100);
    }
    await eventually(() => client.answers.length === 1_000);
    const granted = client.answers.filter(({ ok }) => ok);
    expect(granted).toHaveLength(limits['subscriptionsMax'] as number);
    expect(client.answers.at(-1)).toMatchObject({ ok: false, code: 'LIMIT_EXCEEDED' });
    await client.close();
  });

  test('areas that move faster than the limit: the newest comes into force', async () => {
    const client = await open();
    await client.greet();
    client.subscribe(1, { kind: 'circle', x: 20, y: 20, radius: 5 });
    for (let i = 0; i < 100; i++) {
      client.say({ type: 'area', id: 1, area: { kind: 'circle', x: 20 + i, y: 20, radius: 5 } });
    }
    client.say({ type: 'area', id: 1, area: { kind: 'world' } });
    await client.refusal('RATE_EXCEEDED');
    await eventually(() => new Set(client.ids()).size === BIRDS);
    await client.close();
  });
});
