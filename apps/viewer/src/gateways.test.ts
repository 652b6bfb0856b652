import { expect, test } from 'vitest';
import { gatewaysOf, tokenOf } from './gateways.ts';

const page = { protocol: 'http:', host: '127.0.0.1:7300', pathname: '/', search: '' };

test('a page asks the gateway that served it', () => {
  expect(gatewaysOf(page)).toEqual(['ws://127.0.0.1:7300/view']);
  expect(
    gatewaysOf({ ...page, protocol: 'https:', host: 'a.org', pathname: '/w/index.html' }),
  ).toEqual(['wss://a.org/w/view']);
});

test('gateways named in the address come instead, if they are WebSocket addresses', () => {
  const search = '?gateway=ws://a/view,ws://b/view&gateway=javascript:alert(1)';
  expect(gatewaysOf({ ...page, search })).toEqual(['ws://a/view', 'ws://b/view']);
  expect(gatewaysOf({ ...page, search: '?gateway=http://a' })).toEqual([
    'ws://127.0.0.1:7300/view',
  ]);
});

test('the token is what the fragment says', () => {
  expect([tokenOf('#token=abc'), tokenOf(''), tokenOf('#x=1')]).toEqual(['abc', '', '']);
});
