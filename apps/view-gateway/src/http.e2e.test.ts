/** What a gateway answers over HTTP, and whom it refuses: real processes, a real Redis. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, useRedis } from '@leasehold/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, GatewayWorld } from './gateway-fixture.ts';
import { ViewSocket } from './view-socket-fixture.ts';

const at = useRedis();
const BIRDS = 200;
const PAGE = 'https://map.example.org';
const TOKEN = 'kill-token-of-a-test';
let world: GatewayWorld;
/** With a page, a token, an allowed origin, and few connections. */
let gateway: Gateway;
/** As it is by default, without a page; few queries. */
let plain: Gateway;
let folder: string;

beforeAll(async () => {
  world = await GatewayWorld.seed(at.url, BIRDS);
  await world.startPod({ POD: 'pod-one' });
  folder = await mkdtemp(join(tmpdir(), 'leasehold-page-'));
  const dist = join(folder, 'dist');
  await mkdir(join(dist, 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(dist, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(dist, 'assets', 'app-1a2b.js'), 'export {};');
  await writeFile(join(dist, 'assets', 'app-1a2b.js.br'), 'compressed');
  gateway = await world.startGateway({
    VIEWER_DIST: dist,
    KILL_TOKEN: TOKEN,
    ALLOWED_ORIGINS: PAGE,
    CONNECTIONS_PER_ADDRESS_MAX: '3',
  });
  const none = { VIEWER_DIST: join(folder, 'none'), QUERIES_PER_S: '5', CONNECTIONS_MAX: '2' };
  plain = await world.startGateway(none);
});

afterAll(async () => {
  await world?.close();
  await rm(folder, { recursive: true, force: true });
});

type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
};
type Asked = { readonly method?: string; readonly headers?: Readonly<Record<string, string>> };

/** `fetch` mends paths and forbids headers that matter here. */
function ask(url: string, path: string, { method = 'GET', headers = {} }: Asked = {}) {
  const { hostname, port } = new URL(url);
  return new Promise<Answer>((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers, agent: false }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text }),
      );
    });
    asked.on('error', reject).end();
  });
}

const json = async (path: string, asked: Asked = {}) => {
  const { status, text } = await ask(gateway.url, path, asked);
  return { status, body: JSON.parse(text) };
};

describe('the page', () => {
  test('index.html is asked for again each time, and may load nothing but its own', async () => {
    const { status, headers, text } = await ask(gateway.url, '/');
    expect([status, text]).toEqual([200, '<!doctype html><title>page</title>']);
    expect(headers['cache-control']).toBe('no-cache');
    const { host } = new URL(gateway.url);
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain(`connect-src 'self' ws://${host} wss://${host}`);
    expect(policy.join()).not.toContain('unsafe');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    const again = await ask(gateway.url, '/', {
      headers: { 'if-none-match': String(headers['etag']) },
    });
    expect(again.status).toBe(304);
  });

  test('an asset is kept for ever, and sent compressed where the build did that', async () => {
    const path = '/assets/app-1a2b.js';
    const asset = await ask(gateway.url, path);
    expect(asset.text).toBe('export {};');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.headers['content-type']).toMatch(/^(text|application)\/javascript/);
    const small = await ask(gateway.url, path, { headers: { 'accept-encoding': 'br' } });
    expect([small.text, small.headers['content-encoding']]).toEqual(['compressed', 'br']);
  });

  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '//secret.txt',
    '/assets/app-1a2b.js%00',
    '/%E0%A4%A',
    '/.git/config',
  ])('no path leads out of its folder: %s', async (path) => {
    const { status, text } = await ask(gateway.url, path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).not.toBe('secret');
  });

  test('where it is not built, the answer says what builds it', async () => {
    const { status, text, headers } = await ask(plain.url, '/');
    expect(status).toBe(503);
    expect(text).toContain('npm run build --workspace @leasehold/viewer');
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  });
});

describe('ORIGIN_REFUSED', () => {
  test.each(['/', '/query?world', '/metrics', '/ready'])(
    'to a name that was made to point at this machine: %s',
    async (path) => {
      const { status, body } = await json(path, { headers: { host: 'evil.example.org' } });
      expect([status, body.code, body.field]).toEqual([403, 'ORIGIN_REFUSED', 'Host']);
    },
  );

  test('to the page of another origin; an allowed one may read the answer', async () => {
    const evil = await json('/query?world', { headers: { origin: 'http://evil.example.org' } });
    expect([evil.status, evil.body.code]).toEqual([403, 'ORIGIN_REFUSED']);
    const good = await ask(gateway.url, '/query?world', { headers: { origin: PAGE } });
    expect([good.status, good.headers['access-control-allow-origin']]).toEqual([200, PAGE]);
  });

  test('to its WebSocket too, before it is one', async () => {
    const open = (origin: string) => ViewSocket.open(gateway.viewUrl, { origin });
    await expect(open('http://evil.example.org')).rejects.toThrow('403');
    await expect(open('null')).rejects.toThrow('403');
    const own = await open(gateway.url);
    const allowed = await open(PAGE);
    expect((await own.greet()).world).toBe(world.name);
    await Promise.all([own.close(), allowed.close()]);
  });
});

test('LIMIT_EXCEEDED: connections from one address are counted, and free again when closed', async () => {
  const three = await Promise.all([1, 2, 3].map(() => ViewSocket.open(gateway.viewUrl)));
  await expect(ViewSocket.open(gateway.viewUrl)).rejects.toThrow('429');
  await three[0]?.close();
  const next = await eventually(() => ViewSocket.open(gateway.viewUrl));
  await Promise.all([next, ...three].map((socket) => socket.close()));
  const two = await Promise.all([1, 2].map(() => ViewSocket.open(plain.viewUrl)));
  await expect(ViewSocket.open(plain.viewUrl)).rejects.toThrow('429');
  await Promise.all(two.map((socket) => socket.close()));
});

test('a handshake that is none, or for another path, leaves nothing open', async () => {
  await expect(ViewSocket.open(`${gateway.url.replace('http', 'ws')}/other`)).rejects.toThrow(
    '404',
  );
  const { status } = await ask(gateway.url, '/view');
  expect(status).toBe(404);
  const headers = { connection: 'Upgrade', upgrade: 'websocket' };
  expect((await ask(gateway.url, '/view', { headers })).status).toBe(400);
});

describe('/query', () => {
  test('answers with all entities of an area, and says when there are more', async () => {
    const all = await json('/query?world');
    expect(all.status).toBe(200);
    expect(all.body).toMatchObject({ world: world.name, truncated: false });
    expect(all.body.entities).toHaveLength(BIRDS);
    const [first] = all.body.entities;
    expect(Object.keys(first).sort()).toEqual(['cell', 'components', 'id']);
    expect(Object.keys(first.components).sort()).toEqual(['heading', 'position']);
    const some = await json('/query?world&limit=5&components=heading');
    expect(some.body.truncated).toBe(true);
    expect(some.body.entities).toHaveLength(5);
    expect(Object.keys(some.body.entities[0].components)).toEqual(['heading']);
    const none = await json('/query?circle=1,1,0.000001');
    expect([none.status, none.body.entities]).toEqual([200, []]);
  });

  test('speaks GeoJSON, with the position as geometry even where it is not chosen', async () => {
    const path = '/query?box=0,0,200,100&components=heading&format=geojson';
    const { headers, text } = await ask(gateway.url, path);
    expect(headers['content-type']).toBe('application/geo+json; charset=utf-8');
    const { type, features } = JSON.parse(text);
    expect(type).toBe('FeatureCollection');
    expect(features.length).toBeGreaterThan(0);
    for (const { geometry, properties, id } of features) {
      expect(geometry.type).toBe('Point');
      expect(id).toBeGreaterThan(0);
      expect(Object.keys(properties)).toEqual(['cell', 'heading']);
    }
  });

  test('tells of one entity, and of what is around it', async () => {
    const { body } = await json('/query?world&limit=1');
    const { id } = body.entities[0];
    const one = await json(`/query?id=${id}`);
    expect(one.body.entities.map((entity: { id: number }) => entity.id)).toEqual([id]);
    const around = await json(`/query?around=${id},10`);
    expect(around.body.entities.map((entity: { id: number }) => entity.id)).toContain(id);
  });

  test.each([
    ['box=1,2,NaN,4', 400, 'AREA_INVALID'],
    ['', 400, 'AREA_INVALID'],
    ['circle=10,10,-1', 400, 'AREA_INVALID'],
    ['circle=10,10,1e300', 400, 'AREA_INVALID'],
    ['polygon=0,0;10,10;10,0;0,10', 400, 'AREA_INVALID'],
    ['world&components=wings', 400, 'COMPONENT_UNKNOWN'],
    ['world&with=wings', 400, 'COMPONENT_UNKNOWN'],
    ['world&limit=100000', 400, 'VIEW_MESSAGE_INVALID'],
    ['id=999999999', 404, 'ENTITY_UNKNOWN'],
    ['around=999999999,5', 404, 'ENTITY_UNKNOWN'],
  ])('refuses %s', async (search, status, code) => {
    const answer = await json(`/query?${search}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(Object.keys(answer.body)).toEqual(['code', 'message', 'field', 'value', 'remedy']);
  });

  test('RATE_EXCEEDED: more questions than allowed in a second wait', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => ask(plain.url, '/query?circle=5,5,1')),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(JSON.parse(refused[0]?.text ?? '{}').code).toBe('RATE_EXCEEDED');
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });
});

test('/nearest tells of the nearest first, with their distances', async () => {
  const { status, body } = await json('/nearest?x=100&y=100&count=5');
  expect([status, body.entities.length]).toEqual([200, 5]);
  const distances = body.entities.map(({ distance }: { distance: number }) => distance);
  expect(distances).toEqual([...distances].sort((a, b) => a - b));
  const farthest = distances.at(-1) as number;
  const near = await json(`/nearest?x=100&y=100&count=100&radius=${farthest}`);
  expect(near.body.entities.length).toBeGreaterThan(0);
  for (const { distance } of near.body.entities) expect(distance).toBeLessThanOrEqual(farthest);
  expect((await json('/nearest?x=100')).body.code).toBe('AREA_INVALID');
  expect((await json('/nearest?x=100&y=100&radius=1e9')).body.code).toBe('AREA_INVALID');
});

describe('POST /pods/:pod/kill', () => {
  const kill = (pod: string, headers: Readonly<Record<string, string>>, url = gateway.url) =>
    ask(url, `/pods/${pod}/kill`, { method: 'POST', headers });
  const good = { authorization: `Bearer ${TOKEN}` };
  const codeOf = ({ status, text }: Answer) => [status, JSON.parse(text).code];

  test('says who is to be killed on standard output, and kills nobody itself', async () => {
    const { status, text } = await kill('pod-one', { ...good, origin: gateway.url });
    expect([status, JSON.parse(text)]).toEqual([202, { pod: 'pod-one' }]);
    expect(await gateway.process.waitFor(({ type }) => type === 'kill')).toEqual({
      type: 'kill',
      pod: 'pod-one',
    });
    expect((await json('/query?world&limit=1')).status).toBe(200);
  });

  test('is refused without the token, to other pages and where there is no token', async () => {
    expect(codeOf(await kill('pod-one', {}))).toEqual([403, 'TOKEN_REFUSED']);
    const wrong = { authorization: 'Bearer wrong' };
    expect(codeOf(await kill('pod-one', wrong))).toEqual([403, 'TOKEN_REFUSED']);
    expect(codeOf(await kill('pod-one', good, plain.url))).toEqual([403, 'TOKEN_REFUSED']);
    // What may read may not kill: the allowed page is no exception.
    const page = { ...good, origin: PAGE };
    expect(codeOf(await kill('pod-one', page))).toEqual([403, 'ORIGIN_REFUSED']);
  });

  test('POD_UNKNOWN: nobody is called so', async () => {
    await eventually(async () => {
      expect(codeOf(await kill('nobody', good))).toEqual([404, 'POD_UNKNOWN']);
      expect(codeOf(await kill('no%20body', good))).toEqual([400, 'NAME_INVALID']);
      return true;
    });
  });
});

test('its figures are told to Prometheus, each with world, layer and gateway', async () => {
  const client = await ViewSocket.open(gateway.viewUrl);
  await client.greet();
  client.subscribe(1, { kind: 'world' });
  await eventually(() => client.deltas > 0);
  const { text } = await ask(gateway.url, '/metrics');
  const figure = (name: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(`leasehold_gateway_${name}{`));
    expect(line).toContain(`world="${world.name}",layer="main",gateway="gateway-`);
    return Number(line?.split(' ').at(-1));
  };
  expect([figure('clients'), figure('subscriptions')]).toEqual([1, 1]);
  expect(figure('cells_followed')).toBe(64);
  for (const name of ['frames', 'bytes', 'updates']) {
    expect(figure(`${name}_total`)).toBeGreaterThan(0);
  }
  await client.close();
});

test('SIGTERM: clients hear GATEWAY_CLOSING, one that does not answer is cut off, the end is clean', async () => {
  const leaving = await world.startGateway({ DRAIN_MS: '600' });
  // More than a hundred from one address are let in by default.
  const clients = await Promise.all(
    Array.from({ length: 110 }, () => ViewSocket.open(leaving.viewUrl)),
  );
  await Promise.all(clients.map((client) => client.greet()));
  const deaf = await ViewSocket.open(leaving.viewUrl);
  deaf.socket.pause();
  leaving.process.kill('SIGTERM');
  for (const client of clients) {
    expect(await client.closed).toEqual({ code: 1001, reason: 'GATEWAY_CLOSING' });
  }
  expect(await leaving.process.exited).toEqual({ code: 0, signal: null });
  deaf.socket.terminate();
});

test('PORT_IN_USE: a second gateway on the same port says what to do', async () => {
  const { port } = new URL(gateway.url);
  await expect(world.startGateway({ PORT: port })).rejects.toThrow('PORT_IN_USE');
});
