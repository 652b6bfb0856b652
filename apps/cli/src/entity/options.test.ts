import { describe, expect, test } from 'vitest';
import { apiAddress, type QueryFlags, queryOptions } from './options.ts';

const refused = (field: string) =>
  expect.objectContaining({
    code: 'SETTING_INVALID',
    detail: expect.objectContaining({ field, remedy: expect.stringMatching(/\w/) }),
  });

describe('which API is asked', () => {
  test('it is the flag, then LEASEHOLD_API, then the port of this machine', () => {
    const env = { LEASEHOLD_API: 'https://api.test/leasehold/', LEASEHOLD_API_TOKEN: 'secret' };
    const urlOf = (api?: string, given = {}) =>
      apiAddress(api === undefined ? {} : { api }, given).url;
    expect(urlOf()).toBe('http://127.0.0.1:7320');
    expect(urlOf(undefined, { LEASEHOLD_API: '' })).toBe('http://127.0.0.1:7320');
    expect(urlOf(undefined, env)).toBe('https://api.test/leasehold');
    expect(urlOf('localhost:7321', env)).toBe('http://localhost:7321');
    expect(apiAddress({ world: 'flights' }, env)).toMatchObject({
      token: 'secret',
      world: 'flights',
    });
  });

  test.each(['ws://127.0.0.1:7300', 'http://user:word@host', 'http://', ''])(
    'address "%s" is refused',
    (api) => {
      expect(() => apiAddress({ api }, {})).toThrow(refused('--api'));
    },
  );

  test('a name that no world can have is refused', () => {
    expect(() => apiAddress({ world: '../flights' }, {})).toThrow(refused('--world'));
  });
});

describe('what is looked for', () => {
  test('without an area it is the whole world', () => {
    expect(queryOptions({})).toEqual({ query: [['world', '']], limit: 100, isNearest: false });
  });

  test('flags become what the API has for them', () => {
    const where = ['a.b > 3', 'a.c = x'];
    const flags = { box: '0, 0, 50, 50', components: 'a, b', with: 'c', where, limit: '20' };
    expect(queryOptions(flags)).toEqual({
      query: [
        ['box', '0,0,50,50'],
        ['components', 'a,b'],
        ['with', 'c'],
        ['where', 'a.b,gt,3'],
        ['where', 'a.c,eq,x'],
      ],
      limit: 20,
      isNearest: false,
    });
    expect(queryOptions({ near: '1,2', radius: '5' })).toEqual({
      query: [
        ['near', '1,2'],
        ['radius', '5'],
      ],
      limit: 10,
      isNearest: true,
    });
  });

  test.each([
    [{ box: '0,0,1,1', circle: '0,0,1' }, '--circle'],
    [{ radius: '3' }, '--radius'],
    [{ components: 'a,,b' }, '--components'],
    [{ with: 'a b' }, '--with'],
    [{ where: ['coins > 3'] }, '--where'],
    [{ limit: '0' }, '--limit'],
    [{ limit: '10001' }, '--limit'],
  ] satisfies [QueryFlags, string][])('%o is refused by the name of its flag', (flags, field) => {
    expect(() => queryOptions(flags)).toThrow(refused(field));
  });
});
