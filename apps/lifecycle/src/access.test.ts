import { expect, test } from 'vitest';
import { checkAccess } from './access.ts';
import { loadConfig } from './config.ts';

const ask = (parts: Partial<Parameters<typeof checkAccess>[0]> = {}) => ({
  ...{ method: 'GET', host: '127.0.0.1:7320', origin: undefined, authorization: undefined },
  ...parts,
});
const codeOf = (
  request: ReturnType<typeof ask>,
  rules: Parameters<typeof checkAccess>[1],
): string => {
  try {
    checkAccess(request, rules);
    return 'let in';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const LOCAL = { listensAt: '127.0.0.1', token: '' };
const OPEN = { listensAt: '0.0.0.0', token: '' };
const SECRET = { listensAt: '0.0.0.0', token: 'secret' };

test('on its own machine everybody reads and writes, but no name that points here', () => {
  expect(codeOf(ask(), LOCAL)).toBe('let in');
  expect(codeOf(ask({ method: 'POST' }), LOCAL)).toBe('let in');
  expect(codeOf(ask({ host: 'evil.example' }), LOCAL)).toBe('ORIGIN_REFUSED');
  const page = { method: 'POST', origin: 'https://evil.example' };
  expect(codeOf(ask(page), LOCAL)).toBe('ORIGIN_REFUSED');
});

test('open to the network and without a token, nobody writes', () => {
  expect(codeOf(ask({ host: 'world.example' }), OPEN)).toBe('let in');
  for (const method of ['POST', 'PATCH', 'DELETE', 'PUT']) {
    expect(codeOf(ask({ method, host: 'world.example' }), OPEN)).toBe('TOKEN_REFUSED');
  }
});

test('with a token, whoever has it reads and writes, and nobody else', () => {
  for (const method of ['GET', 'POST']) {
    for (const authorization of [undefined, 'Bearer', 'Bearer wrong', 'Basic secret', 'secret']) {
      expect(codeOf(ask({ method, authorization }), SECRET)).toBe('TOKEN_REFUSED');
    }
    expect(codeOf(ask({ method, authorization: 'Bearer secret' }), SECRET)).toBe('let in');
  }
});

test('jobs are kept where the worlds are, unless told otherwise', () => {
  const env = { REDIS_URL: 'redis://127.0.0.1:1' };
  expect(loadConfig(env).jobsRedisUrl).toBe('redis://127.0.0.1:1');
  expect(loadConfig({ ...env, JOBS_REDIS_URL: 'redis://b:2' }).jobsRedisUrl).toBe('redis://b:2');
});
