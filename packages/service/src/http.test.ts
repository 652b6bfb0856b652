import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Counter, Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { BODY_BYTES_MAX, type Http, type HttpOptions, openHttp, READY_MS_MAX } from './index.ts';

const opened: Http[] = [];
afterEach(async () => {
  for (const http of opened.splice(0)) await http.close();
});

async function open(options: Partial<HttpOptions> = {}): Promise<Http> {
  const metrics = options.metrics ?? new Registry();
  const http = await openHttp({ port: 0, ready: () => [], metrics, ...options });
  opened.push(http);
  return http;
}

const get = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: await response.text(), type: response.headers };
};

describe('the HTTP face', () => {
  test('says that the process lives, whether it is ready or not', async () => {
    const { url } = await open({ ready: () => ['Redis is away'] });
    const { status, body } = await get(`${url}/health`);
    expect([status, JSON.parse(body)]).toEqual([200, { status: 'ok' }]);
  });

  test('is ready when no dependency objects, and says which one does', async () => {
    let reasons: string[] = [];
    const { url } = await open({ ready: async () => reasons });
    expect(JSON.parse((await get(`${url}/ready`)).body)).toEqual({ status: 'ready', reasons: [] });
    reasons = ['Redis is away'];
    const { status, body } = await get(`${url}/ready`);
    expect([status, JSON.parse(body)]).toEqual([503, { status: 'not ready', reasons }]);
  });

  test('is not ready when a check throws', async () => {
    const { url } = await open({
      ready: () => {
        throw new Error('no socket');
      },
    });
    const { status, body } = await get(`${url}/ready`);
    expect([status, JSON.parse(body)]).toMatchObject([503, { reasons: ['no socket'] }]);
  });

  test('is not ready when a check does not answer', async () => {
    const { url } = await open({ ready: () => new Promise<string[]>(() => undefined) });
    const startMs = performance.now();
    const { status, body } = await get(`${url}/ready`);
    expect(status).toBe(503);
    expect(body).toContain('no answer');
    expect(performance.now() - startMs).toBeGreaterThan(READY_MS_MAX - 50);
  });

  test('gives the metrics of the registry it was given', async () => {
    const metrics = new Registry();
    new Counter({ name: 'ticks_total', help: 'Ticks.', registers: [metrics] }).inc(3);
    const { url } = await open({ metrics });
    const { status, body, type } = await get(`${url}/metrics`);
    expect(status).toBe(200);
    expect(body).toContain('ticks_total 3');
    expect(type.get('content-type')).toContain('text/plain');
  });

  test('listens on this machine only, and on the port it tells', async () => {
    const http = await open();
    expect(http.url).toBe(`http://127.0.0.1:${http.port}`);
    expect(http.port).toBeGreaterThan(0);
  });

  test('refuses a body that is too long, and never changes one to make it fit', async () => {
    const schema = {
      type: 'object',
      properties: { x: { type: 'number' } },
      additionalProperties: false,
    };
    const { url } = await open({
      routes: (app) => {
        app.post('/echo', { schema: { body: schema } }, (request) => request.body);
      },
    });
    const post = async (body: string) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${url}/echo`, { method: 'POST', body, headers })).status;
    };
    expect(await post('{"x":1}')).toBe(200);
    expect(await post('{"x":"1"}')).toBe(400);
    expect(await post('{"x":1,"evil":1}')).toBe(400);
    expect(await post(`{"x":${'1'.repeat(BODY_BYTES_MAX)}}`)).toBe(413);
  });

  test('closes although a client is in the middle of a request', async () => {
    const http = await open();
    const socket = connect(http.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    socket.write('GET /health HTTP/1.1\r\n');
    await new Promise((sent) => setTimeout(sent, 50));
    const closed = once(socket, 'close');
    const startMs = performance.now();
    await http.close();
    await closed;
    expect(performance.now() - startMs).toBeLessThan(1_000);
  });
});

describe('a port', () => {
  test('that is taken is refused with a remedy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(open({ port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `port ${port} on 127.0.0.1 is taken by another process`,
      detail: { field: 'PORT', value: String(port), remedy: expect.stringContaining('Set PORT') },
    });
    other.close();
    await once(other, 'close');
  });

  test('on an address that is not ours is refused', async () => {
    await expect(open({ host: '203.0.113.7' })).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      detail: { field: 'HOST', value: '203.0.113.7' },
    });
  });
});
