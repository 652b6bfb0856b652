/**
 * What the service says of itself, and what it does: each route's examples are sent, and some
 * thousand requests that are mostly wrong. Nothing may be answered that is not described.
 */
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { createRandom, ERROR_CATALOGUE, type Random } from '@leasehold/kernel';
import { useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, LifecycleWorld, type Service } from './lifecycle-fixture.ts';
import { filledPath, type Operation, operationsOf } from './openapi-fixture.ts';

/** More with LIFECYCLE_FUZZ=100000, and worse ones with npm run prove:api. */
const REQUESTS = Number(process.env['LIFECYCLE_FUZZ'] ?? 1_000);
const SEED = Number(process.env['SIM_SEED'] ?? 11);
const AT_ONCE = 8;
const SECRET = 'a secret of some length';

const at = useRedis();
let world: LifecycleWorld;
let service: Service;
let operations: readonly Operation[];
let lamp: number;

beforeAll(async () => {
  world = await LifecycleWorld.seed(at.url);
  await world.applyPrefabs({ 'prefabs/sheep.yaml': 'components: {lamp: {strikes: 2}}' });
  [service] = await Promise.all([world.startService({ WEBHOOK_SECRET: SECRET }), world.startPod()]);
  const { body } = await service.send('/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  operations = operationsOf(body);
  lamp = (await service.ask('/entities?world&limit=1')).body.entities[0].id;
});
afterAll(async () => {
  await world?.close();
});

/** What stands in the examples is of another world. */
function known(text: string): string {
  return text.replace(/4503599627370497/g, String(lamp)).replace('flocking', world.name);
}

function lamps(text: string): string {
  return known(text)
    .replace(/"position"/g, '"place"')
    .replace('startle', 'strike');
}

/** What is signed is the bytes that are sent. */
function signed(operationId: string, text = ''): Readonly<Record<string, string>> {
  if (operationId !== 'pushPrefabs') return {};
  const digest = createHmac('sha256', SECRET).update(text).digest('hex');
  return { 'x-hub-signature-256': `sha256=${digest}` };
}

function fits(operation: Operation, { status, headers, body }: Answer, sent: string): void {
  const what = `${sent} answered ${status} ${JSON.stringify(body).slice(0, 300)}`;
  expect(operation.statuses, what).toContain(String(status));
  if (status < 400) return;
  expect(headers.get('content-type'), what).toContain('application/problem+json');
  expect(body, what).toMatchObject({ status, type: `urn:leasehold:${body.code}` });
  expect(Object.keys(ERROR_CATALOGUE), what).toContain(body.code);
  for (const each of ['title', 'detail', 'field', 'value', 'remedy', 'instance']) {
    expect(typeof body[each], what).toBe('string');
  }
}

test('every route has an example, and answers it as it says', async () => {
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(
    [...'createEntities readEntity patchEntity deleteEntity queryEntities readRequest'.split(' ')]
      .concat('emitEvent listDeadLetters replayDeadLetters createJob listJobs readJob'.split(' '))
      .concat('cancelJob listWorlds readWorld pauseWorld resumeWorld stepWorld'.split(' '))
      .concat('listPrefabs readPrefab spawnPrefab pushPrefabs'.split(' '))
      .concat('listSnapshots takeSnapshot readSnapshot removeSnapshot restoreSnapshot'.split(' '))
      .concat('branchSnapshot listSnapshotJobs readSnapshotJob cancelSnapshotJob'.split(' '))
      .concat('putSnapshotSchedule readSnapshotSchedule removeSnapshotSchedule'.split(' '))
      .sort(),
  );
  const order = ['pauseWorld', 'stepWorld', 'resumeWorld'];
  const sorted = [...operations].sort(
    (a, b) =>
      Number(a.operationId === 'deleteEntity') - Number(b.operationId === 'deleteEntity') ||
      order.indexOf(a.operationId) - order.indexOf(b.operationId),
  );
  for (const operation of sorted) {
    const { method, path, examples, texts, operationId } = operation;
    const filled = filledPath(operation, known);
    const query = operationId === 'queryEntities' ? '?world&where=place.x,ge,0' : '';
    const json = examples.map((example) => ['application/json', JSON.stringify(example)] as const);
    const bodies = examples.length > 0 ? [...json, ...texts] : [undefined];
    if (['POST', 'PATCH'].includes(method) && !/pause|resume/.test(path)) {
      expect(examples.length, operationId).toBeGreaterThan(0);
    }
    for (const [type, example] of bodies.map((each) => each ?? [])) {
      const text = example === undefined ? undefined : lamps(example);
      const typed = type === undefined ? {} : { 'content-type': type };
      const headers = { ...typed, ...signed(operationId, text) };
      const answer = await service.send(`${filled}${query}`, { method, body: text, headers });
      fits(operation, answer, `${method} ${filled} ${text}`);
      const isOfNobody = /Job|Request/.test(operationId) && path.includes('{');
      const isFound = !/readJob|cancelJob|readRequest/.test(operationId) || !isOfNobody;
      // This service has no database; with one, snapshots.postgres.test.ts sends these.
      if (/Snapshot/.test(operationId)) {
        expect(answer, operationId).toMatchObject({ status: 503, body: { code: 'SNAPSHOTS_OFF' } });
        continue;
      }
      if (isFound) expect(answer.status, `${operationId} ${text}`).toBeLessThan(400);
    }
  }
});

test('what is no HTTP, or has too many headers, is answered with a problem too', async () => {
  const { port } = new URL(service.url);
  const told = async (text: string): Promise<string> => {
    const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1');
    socket.write(text);
    return (await socket.toArray()).join('');
  };
  const long = `/health HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`;
  for (const [text, status] of [
    ['nonsense\r\n\r\n', 400],
    [`GET ${long}`, 431],
  ] as const) {
    const [head = '', body = ''] = (await told(text)).split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, code: 'REQUEST_INVALID', field: 'request' });
  }
  expect((await told(`HEAD ${long}`)).split('\r\n\r\n')[1]).toBe('');
});

const NASTY: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 53, 1e308, '', 'x', '\u0000', 'é'.repeat(200), '../..', '%'],
  ...[[], {}, [[]], { x: 1 }, { constructor: {} }, 'world', '1,2,3,4', '5,95', 'NaN', '-0', '1e9'],
  ...[
    'place',
    'lamp',
    'strike',
    'applied',
    'place.x,ge,0',
    '100,50,20',
    '0,0;9,0;9,9',
    '4294967297',
  ],
];
const VALID: Readonly<Record<string, readonly unknown[]>> = {
  components: [{ place: { x: 5, y: 5 } }, { place: { x: 1e300 } }, { lamp: {} }, { nope: {} }],
  entities: [[{ components: { place: {} } }], []],
  set: [{ lamp: { strikes: 3 } }, { lamp: { strikes: 'x' } }, { place: { y: 1e9 } }],
  remove: [['lamp'], ['place'], ['nope'], []],
  entity: [4_294_967_297, 1, 2 ** 52 + 1],
  event: ['strike', 'nope'],
  payload: [{}, { times: 2 }, { times: 'x' }, { deep: { deep: [] } }],
  ids: [['5:1:0'], ['x', 'x']],
  count: [1, 50, 2_000_000],
  area: [{ world: '' }, { box: '1,1,9,9' }, { circle: '5,5' }, {}],
  ticks: [0, 'x'],
  seed: [1, -1],
};

function pick<T>(random: Random, of: readonly T[]): T {
  return of[random.below(of.length)] as T;
}

function bodyOf(random: Random, examples: readonly unknown[]): unknown {
  if (examples.length > 0 && random.chance(0.3)) {
    return JSON.parse(lamps(JSON.stringify(pick(random, examples))));
  }
  if (random.chance(0.15)) return pick(random, NASTY);
  const names = Object.keys(VALID);
  const body: Record<string, unknown> = {};
  for (let i = 1 + random.below(3); i > 0; i--) {
    const name = pick(random, names);
    body[name] = random.chance(0.25) ? pick(random, NASTY) : pick(random, VALID[name] ?? []);
  }
  return body;
}

function requestOf(random: Random, { path, parameters, method, examples }: Operation) {
  const word = (name: string): string => {
    if (name === 'world' && random.chance(0.97)) return world.name;
    if (name === 'name' && random.chance(0.7)) return 'sheep';
    if (name === 'id' && random.chance(0.5)) return String(lamp + random.below(3));
    return encodeURIComponent(String(pick(random, NASTY))) || 'x';
  };
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => word(name));
  const query = new URLSearchParams();
  for (const { in: place, name } of parameters) {
    if (place !== 'query' || !random.chance(0.4) || name === 'wait') continue;
    query.append(name, String(pick(random, NASTY)));
  }
  if (random.chance(0.05)) query.append('nope', '1');
  const headers: Record<string, string> = {};
  if (random.chance(0.2))
    headers['idempotency-key'] = pick(random, ['a', 'b', 'x y', 'z'.repeat(200)]);
  if (random.chance(0.2))
    headers['if-match'] = pick(random, ['*', '"x"', `"${'0'.repeat(16)}.lamp"`]);
  if (random.chance(0.1)) headers['if-none-match'] = pick(random, ['*', 'W/"x"', ',,,']);
  const isBody = method !== 'GET' && random.chance(0.9);
  const text = random.chance(0.03) ? '{"a":' : JSON.stringify(bodyOf(random, examples));
  const url = `${filled}${query.size > 0 ? `?${query}` : ''}`;
  return { url, headers, ...(isBody ? { body: text } : {}) };
}

test(`${REQUESTS} requests by chance are answered as described (SIM_SEED=${SEED})`, async () => {
  const random = createRandom(SEED);
  // What stops the time of the world, or waits for it, would only make this slow.
  const some = operations.filter(({ operationId }) => !/pauseWorld|resumeWorld/.test(operationId));
  const counts = new Map<number, number>();
  const one = async (): Promise<void> => {
    const operation = pick(random, some);
    const { url, headers, body } = requestOf(random, operation);
    const { method } = operation;
    const answer = await service.send(url, { method, headers, body });
    fits(operation, answer, `seed ${SEED}: ${method} ${url} ${JSON.stringify(headers)} ${body}`);
    counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
  };
  for (let done = 0; done < REQUESTS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }
  // It must have got through to what does the work, too.
  for (const status of [200, 202, 400, 404, 422]) expect([...counts.keys()]).toContain(status);
  expect((await service.send('/health')).status).toBe(200);
  const { body } = await service.send('/metrics');
  expect(body).toContain('leasehold_lifecycle_requests_total');
});
