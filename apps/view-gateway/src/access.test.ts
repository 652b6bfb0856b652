import { hasCode } from '@leasehold/kernel';
import {
  addressOf,
  checkHost,
  checkOrigin,
  isLoopbackAddress,
  isLoopbackHost,
  isSameOrigin,
} from '@leasehold/service';
import { describe, expect, test } from 'vitest';
import { checkKill } from './access.ts';
import { loadConfig } from './config.ts';

const codeOf = (work: () => void): string => {
  try {
    work();
    return 'let in';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test.each([
  ['localhost', true],
  ['LOCALHOST:7300', true],
  ['127.0.0.1:7300', true],
  ['[::1]:7300', true],
  ['example.org', false],
  ['127.0.0.1.example.org', false],
  ['localhost.example.org:7300', false],
  ['127.0.0.1:7300@example.org', false],
  ['', false],
  [undefined, false],
])('the host %j names this machine: %j', (host, isLoopback) => {
  expect(isLoopbackHost(host)).toBe(isLoopback);
  expect(codeOf(() => checkHost(host))).toBe(isLoopback ? 'let in' : 'ORIGIN_REFUSED');
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::ffff:127.0.0.1', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
])('the address %s is reached from this machine alone: %j', (address, isLoopback) => {
  expect(isLoopbackAddress(address)).toBe(isLoopback);
});

test.each([
  [undefined, 'localhost:7300', true],
  ['http://localhost:7300', 'localhost:7300', true],
  ['http://Map.example.org', 'map.example.org', true],
  ['https://map.example.org', 'map.example.org:443', true],
  ['http://localhost:7301', 'localhost:7300', false],
  ['http://127.0.0.1:7300', 'localhost:7300', false],
  ['https://evil.example.org', 'map.example.org', false],
  ['ftp://localhost:7300', 'localhost:7300', false],
  ['null', 'localhost:7300', false],
  ['http://localhost:7300', undefined, false],
])('the page of %j is the own page of %j: %j', (origin, host, isSame) => {
  expect(isSameOrigin(origin, host)).toBe(isSame);
});

test('ORIGIN_REFUSED: a page of another origin is let in only by name', () => {
  const page = 'https://map.example.org';
  const allowed = (list: string) => loadConfig({ ...env, ALLOWED_ORIGINS: list }).allowedOrigins;
  const check = (list: string) => codeOf(() => checkOrigin(page, 'localhost:7300', allowed(list)));
  expect(check('')).toBe('ORIGIN_REFUSED');
  expect(check(`http://localhost:5173, ${page}`)).toBe('let in');
});

const env = { REDIS_URL: 'redis://x', WORLD_FOLDER: 'x' };

test.each(['*', 'example.org', 'https://example.org/', 'null'])(
  'SETTING_INVALID: %s is no origin',
  (word) => {
    try {
      loadConfig({ ...env, ALLOWED_ORIGINS: word });
      expect.unreachable();
    } catch (error) {
      expect(hasCode(error, 'SETTING_INVALID') && error.detail.value).toBe(word);
    }
  },
);

describe('a pod is killed', () => {
  const good = {
    address: '127.0.0.1',
    host: 'localhost:7300',
    origin: 'http://localhost:7300',
    authorization: 'Bearer secret',
  };

  test('from this machine, by its own page, with the token', () => {
    expect(codeOf(() => checkKill(good, 'secret'))).toBe('let in');
    expect(codeOf(() => checkKill({ ...good, origin: undefined }, 'secret'))).toBe('let in');
  });

  test.each([
    ['no token', { authorization: undefined }, 'TOKEN_REFUSED'],
    ['another token', { authorization: 'Bearer secrets' }, 'TOKEN_REFUSED'],
    ['an empty token', { authorization: 'Bearer ' }, 'TOKEN_REFUSED'],
    ['another scheme', { authorization: 'Basic secret' }, 'TOKEN_REFUSED'],
    ['another page', { origin: 'http://evil.example.org' }, 'ORIGIN_REFUSED'],
    ['a name that was made to point here', { host: 'evil.example.org' }, 'ORIGIN_REFUSED'],
    ['another machine', { address: '10.0.0.1' }, 'ORIGIN_REFUSED'],
  ])('not with %s', (_, change, code) => {
    expect(codeOf(() => checkKill({ ...good, ...change }, 'secret'))).toBe(code);
  });

  test('by nobody where there is no token', () => {
    expect(codeOf(() => checkKill({ ...good, authorization: 'Bearer ' }, ''))).toBe(
      'TOKEN_REFUSED',
    );
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::FFFF:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is counted as %s: one who is given a net has all its addresses', (remote, counted) => {
  expect(addressOf(remote)).toBe(counted);
});
