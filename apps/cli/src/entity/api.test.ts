/** What the client makes of answers, by a server that gives them. */
import { createServer, type IncomingMessage } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Output } from '../output.ts';
import { answered } from './answered.ts';
import { openApi } from './api.ts';

type Said = { readonly status?: number; readonly text: string };

/** Answers by path, and 404 with a page for others. */
async function served(answers: Readonly<Record<string, Said>>) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    const { status = 200, text } = answers[request.url ?? ''] ?? { status: 404, text: '<html>' };
    response.writeHead(status, { etag: '"tag"' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() };
}

const worlds = (...names: readonly string[]): Said => ({
  text: JSON.stringify({ worlds: names.map((world) => ({ world })) }),
});
const to = (url: string, world?: string) => ({ url, token: '', world });

describe('which world is meant', () => {
  test('the only one there is', async () => {
    const { url } = await served({ '/v1/worlds': worlds('couriers') });
    expect((await openApi(to(url))).world).toBe('couriers');
  });

  test('one of several must be named, and they are', async () => {
    const { url } = await served({ '/v1/worlds': worlds('couriers', 'flights') });
    await expect(openApi(to(url))).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      detail: { field: '--world', remedy: expect.stringContaining('couriers, flights') },
    });
  });

  test('WORLD_UNKNOWN where there is none', async () => {
    const { url } = await served({ '/v1/worlds': worlds() });
    await expect(openApi(to(url))).rejects.toMatchObject({ code: 'WORLD_UNKNOWN' });
  });
});

test('a question goes below the world, with the token; the answer has its entity tag', async () => {
  const { url, asked } = await served({ '/v1/worlds/a/entities/7?x=1': { text: '{"id":7}' } });
  const api = await openApi({ url, token: 'secret', world: 'a' });
  const answer = await api.ask('PATCH', '/entities/7', { query: [['x', '1']], body: {} });
  expect(answer).toEqual({ status: 200, body: { id: 7 }, tag: '"tag"' });
  expect(asked[0]?.headers).toMatchObject({
    authorization: 'Bearer secret',
    'content-type': 'application/json',
  });
});

test('a refusal is told in the words of the API, and is exit code 1', async () => {
  const problem = { code: 'ENTITY_UNKNOWN', detail: 'no entity', field: 'id', value: '7' };
  const text = JSON.stringify({ ...problem, remedy: 'Look again.' });
  const { url } = await served({ '/v1/worlds/a/entities/7': { status: 404, text } });
  const api = await openApi(to(url, 'a'));
  const lines: string[] = [];
  const stdout = { write: (line: string) => lines.push(line) };
  const output = new Output({ json: true, stdout, stderr: stdout, env: {} });
  expect(await answered(() => api.ask('GET', '/entities/7'), output)).toBe(1);
  expect(JSON.parse(lines.join(''))).toEqual({
    error: {
      code: 'ENTITY_UNKNOWN',
      message: 'no entity',
      field: 'id',
      value: '7',
      remedy: 'Look again.',
    },
  });
});

test('API_UNREACHABLE where nobody listens, or somebody else does, says how to start one', async () => {
  const { url } = await served({ '/v1/worlds': { text: '{"status":"ok"}' } });
  const gone = await served({});
  gone.close();
  const unreachable = expect.objectContaining({
    code: 'API_UNREACHABLE',
    detail: expect.objectContaining({
      field: '--api',
      remedy: expect.stringContaining('--lifecycle 1'),
    }),
  });
  await expect(openApi(to(url))).rejects.toEqual(unreachable);
  await expect(openApi(to(gone.url))).rejects.toEqual(unreachable);
  const api = await openApi(to(url, 'a'));
  const output = new Output({ json: true, env: {} });
  await expect(answered(() => api.ask('GET', '/'), output)).rejects.toEqual(unreachable);
});
