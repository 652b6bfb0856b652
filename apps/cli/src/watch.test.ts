import type { Entity } from '@leasehold/client';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { areaOf, repeated, type WatchFlags, watchOptions } from './watch-options.ts';
import { plainLine, tableLines, type WatchFacts } from './watch-table.ts';

const options = (flags: WatchFlags, env: NodeJS.ProcessEnv = {}, world = 'flights') =>
  watchOptions(world, flags, env);

describe('flags of watch', () => {
  test('without flags it is the whole world, from the gateway of this machine, until Ctrl-C', () => {
    expect(options({})).toEqual({
      world: 'flights',
      isFolder: false,
      area: { kind: 'world' },
      areaText: 'world',
      components: undefined,
      with: undefined,
      rateHz: undefined,
      gateways: ['ws://127.0.0.1:7300/view'],
      seconds: 0,
    });
  });

  test.each([
    ['world', { kind: 'world' }],
    ['box:-10,35.5,30,60', { kind: 'box', minX: -10, minY: 35.5, maxX: 30, maxY: 60 }],
    ['box:170,-10,-170,10', { kind: 'box', minX: 170, minY: -10, maxX: -170, maxY: 10 }],
    ['circle:8.5,50,20000', { kind: 'circle', x: 8.5, y: 50, radius: 20_000 }],
    ['around:4503599627370496,5', { kind: 'around', entity: 4503599627370496, radius: 5 }],
    [
      'polygon:0,0;10,0; 5,8',
      {
        kind: 'polygon',
        points: [
          [0, 0],
          [10, 0],
          [5, 8],
        ],
      },
    ],
  ])('the area %s is %o', (text, area) => expect(areaOf(text)).toEqual(area));

  test.each([
    '',
    'box',
    'box:1,2,3',
    'box:1,2,3,four',
    'box:0,0,0,0',
    'box:0,9,5,2',
    'circle:0,0,0',
    'circle:0,0,NaN',
    'circle:0,0,Infinity',
    'circle:0,,1',
    'around:1.5,3',
    'around:-1,3',
    'around:7,0',
    'polygon:0,0;1,1',
    'polygon:0,0;1,1;2',
    'world:1',
    'hexagon:1,2,3',
  ])('the area "%s" is AREA_INVALID', (text) => {
    expect(() => areaOf(text)).toThrow(
      expect.objectContaining({
        code: 'AREA_INVALID',
        detail: { field: '--area', value: text, remedy: expect.stringMatching(/\w/) },
      }),
    );
  });

  test.each([
    [{ rate: '0' }, '--rate'],
    [{ rate: '61' }, '--rate'],
    [{ seconds: 'long' }, '--seconds'],
    [{ components: 'a,,b' }, '--components'],
    [{ with: '' }, '--with'],
    [{ gateway: ['ftp://a'] }, '--gateway'],
    [{ gateway: ['ws://a', ''] }, '--gateway'],
  ] satisfies [WatchFlags, string][])('%o is refused by the name of its flag', (flags, field) => {
    expect(() => options(flags)).toThrow(
      expect.objectContaining({
        code: 'SETTING_INVALID',
        detail: expect.objectContaining({ field }),
      }),
    );
  });

  test('gateways are flags, else LEASEHOLD_GATEWAY; the address of the page will do', () => {
    const env = { LEASEHOLD_GATEWAY: 'http://10.0.0.1:7300/' };
    expect(options({}, env).gateways).toEqual(['ws://10.0.0.1:7300/view']);
    expect(options({ gateway: ['a:1', 'wss://b.example/live'] }, env).gateways).toEqual([
      'ws://a:1/view',
      'wss://b.example/live',
    ]);
    expect(repeated('b', repeated('a', undefined))).toEqual(['a', 'b']);
  });

  test('a path is a world folder, anything else a name', () => {
    const paths = ['.', './a', 'examples/flights', 'flights'];
    expect(paths.map((world) => options({}, {}, world).isFolder)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('the table of watch', () => {
  const entity = (id: number, text: string): Entity => ({
    id,
    cell: 3,
    tick: 12,
    components: { label: { text }, place: { isUp: true, x: 1.25, y: -2 } },
  });
  const facts = (entities: readonly Entity[], size = entities.length): WatchFacts => ({
    view: {
      state: 'open',
      url: 'ws://a/view',
      latencyMs: 12.4,
      welcome: {
        world: 'flights',
        spatial: { component: 'place', x: 'x', y: 'y' },
      } as NonNullable<WatchFacts['view']['welcome']>,
    },
    subscription: {
      size,
      tick: 12,
      isLive: true,
      ids: () => entities.map(({ id }) => id).values(),
      get: (id) => entities.find((each) => each.id === id),
    },
    area: 'world',
    updatesPerS: 160.2,
  });
  const colors = pc.createColors(false);

  test('entities are rows by id, position first, then other fields', () => {
    expect(tableLines(facts([entity(12, 'b'), entity(5, 'a')]), colors)).toEqual([
      'flights  world, from ws://a/view',
      '  live, tick 12, 2 entities, 160 updates/s, 12 ms behind',
      '  id  cell  tick      x   y  label.text  place.isUp',
      '   5     3    12  1.250  -2           a        true',
      '  12     3    12  1.250  -2           b        true',
    ]);
  });

  test('text of a world cannot write to the terminal, and long text is cut', () => {
    const lines = tableLines(facts([entity(1, '\u001b[2Jred and much longer')]), colors);
    expect(lines.at(-1)).toContain('·[2Jred and much  ');
  });

  test('what is not shown is counted, and nobody is no table', () => {
    expect(tableLines(facts([entity(1, 'a')], 4), colors).at(-1)).toBe('  and 3 more');
    expect(tableLines(facts([]), colors)).toHaveLength(2);
  });

  test('a plain line says what is going on', () => {
    const { view, ...rest } = facts([entity(1, 'a')]);
    expect(plainLine({ view: { ...view, state: 'waiting', latencyMs: Number.NaN }, ...rest })).toBe(
      'no gateway, trying again, tick 12, 1 entity, 160 updates/s',
    );
  });
});
