/** Parts of requests that need no server: predicates, entity tags, groups of births, bulk plans. */
import { hasCode } from '@leasehold/kernel';
import { type Birth, groupsOf, layerSchema, Table } from '@leasehold/protocol';
import { Grid } from '@leasehold/spatial';
import { expect, test } from 'vitest';
import { BulkPlan, STEP_ENTITIES } from './bulk-plan.ts';
import { isKnown, matchOf, tagOf } from './entity-tag.ts';
import { requestHash } from './idempotency.ts';
import { newRequestId, postIds } from './request-desk.ts';
import { predicateOf, termsOf } from './where.ts';

const field = (name: string, kind: 'f32' | 'bool' | 'string' | 'json' | 'i32', initial: never) => ({
  ...{ name, kind, initial },
});
const schema = layerSchema('main', [
  {
    name: 'lamp',
    version: 1,
    fields: [
      field('bright', 'f32', 0 as never),
      field('isLit', 'bool', false as never),
      field('name', 'string', '' as never),
      field('note', 'json', null as never),
    ],
  },
]);

function lampOf(bright: number, isLit: number, name: string, mask = 1): Table {
  const table = new Table(schema);
  table.append(1, mask);
  for (const [f, value] of [bright, isLit, name].entries()) {
    (table.columns[0]?.[f] as unknown[])[0] = value;
  }
  return table;
}

test('a predicate holds when all its terms do, and never of a row that lacks the component', () => {
  const holds = (terms: string[], table = lampOf(Math.fround(0.1), 1, 'a,b')): boolean =>
    predicateOf(schema, termsOf([{ schema }], terms).values().next().value ?? [])(table, 0);
  expect(holds([])).toBe(true);
  expect(holds(['lamp.bright,eq,0.1', 'lamp.isLit,eq,true', 'lamp.name,eq,a,b'])).toBe(true);
  expect(holds(['lamp.bright,lt,0.1'])).toBe(false);
  expect(holds(['lamp.bright,le,0.1', 'lamp.bright,ge,-1e3', 'lamp.name,gt,a'])).toBe(true);
  expect(holds(['lamp.isLit,ne,true'])).toBe(false);
  expect(holds(['lamp.bright,ge,0'], lampOf(1, 0, '', 0))).toBe(false);
  const wrong = [
    '',
    'lamp',
    'lamp.bright',
    'lamp.bright,eq',
    'lamp.bright,eq,',
    'lamp.bright,xx,1',
  ];
  wrong.push('nope.x,eq,1', 'lamp.nope,eq,1', 'lamp.note,eq,1', 'lamp.isLit,gt,true');
  wrong.push('lamp.isLit,eq,1', 'lamp.bright,eq,0x10', 'lamp.bright,eq,Infinity');
  for (const term of wrong) {
    expect(() => predicateOf(schema, [{ text: term, at: 'where.0' }]), term).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  }
  expect(() => termsOf([{ schema }], Array(9).fill('lamp.bright,ge,0'))).toThrow('9');
});

test('an entity tag says what was read, and only its own kind is taken back', () => {
  const tag = tagOf({ lamp: { bright: 1 }, place: { x: 2 } });
  expect(matchOf(tag)).toEqual({ components: ['lamp', 'place'], hash: tag.slice(1, 17) });
  expect(matchOf('*')).toBeUndefined();
  expect(matchOf(undefined)).toBeUndefined();
  for (const wrong of ['', 'x', 'W/"x"', '"x"', `"${'0'.repeat(16)}"`]) {
    expect(() => matchOf(wrong)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  }
  expect(isKnown(`"x", W/${tag}`, tag)).toBe(true);
  expect(isKnown('*', tag)).toBe(true);
  expect(isKnown('"x"', tag)).toBe(false);
  expect(isKnown(undefined, tag)).toBe(false);
});

test('births of a cell share a post until it is full; the same births make the same posts', () => {
  const births = Array.from({ length: 1_200 }, (_, i): Birth => {
    return { cell: i % 2, components: { lamp: { name: i % 2 === 0 ? 'x' : 'y'.repeat(1_000) } } };
  });
  const groups = groupsOf(births);
  expect(groups).toEqual(groupsOf(structuredClone(births)));
  expect(groups.flatMap(({ of }) => of).sort((a, b) => a - b)).toEqual(births.map((_, i) => i));
  for (const { cell, of } of groups) {
    expect(of.length).toBeLessThanOrEqual(512);
    for (const i of of) expect(births[i]?.cell).toBe(cell);
    expect(JSON.stringify(of.map((i) => births[i])).length).toBeLessThan(64 * 1024);
  }
});

test('the id of a request tells its posts, and no other text does', () => {
  const request = newRequestId(3);
  expect(postIds(request)).toEqual([0, 1, 2].map((i) => `${request}.${i}`));
  for (const wrong of ['', 'x', `${request}0000`, request.replace('-', '')]) {
    expect(postIds(wrong)).toEqual([]);
  }
});

test('the hash of a request is of its body, however its members are ordered', () => {
  expect(requestHash('POST', '/x', { a: 1, b: 2 })).toBe(requestHash('POST', '/x', { b: 2, a: 1 }));
  expect(requestHash('POST', '/x', { a: 1 })).not.toBe(requestHash('POST', '/y', { a: 1 }));
  expect(requestHash('POST', '/x', undefined)).toBe(requestHash('POST', '/x', null));
});

test('a bulk plan spreads the same entities over its area each time', () => {
  const spaces = [
    { kind: 'torus', width: 200, height: 100, cell: 25 },
    { kind: 'plane', width: 190, height: 95, cell: 25 },
    { kind: 'wgs84', cell: 10 },
  ] as const;
  const name = { name: 'place', xName: 'x', yName: 'y' };
  const spatial = { component: 0, x: 0, y: 1, ...name };
  for (const space of spaces) {
    const grid = new Grid(space);
    for (const area of [
      { kind: 'world' },
      { kind: 'box', minX: 10, minY: 10, maxX: 40, maxY: 30 },
      {
        kind: 'polygon',
        points: [
          [10, 10],
          [40, 10],
          [10, 40],
        ],
      },
    ] as const) {
      const template = { count: STEP_ENTITIES + 10, components: { lamp: {} }, area, seed: 3 };
      const plan = new BulkPlan(template, grid, spatial);
      expect(plan.steps).toBe(2);
      const births = [...plan.births(0), ...plan.births(1)];
      expect(births).toHaveLength(STEP_ENTITIES + 10);
      expect(new BulkPlan(template, grid, spatial).births(1)).toEqual(plan.births(1));
      for (const { cell, components } of births.slice(0, 200)) {
        const { x, y } = components['place'] as { x: number; y: number };
        expect(grid.cellAt(x, y)).toBe(cell);
        if (area.kind === 'box') expect(x >= 10 && x <= 40 && y >= 10 && y <= 30).toBe(true);
        if (area.kind === 'polygon') expect(x + y).toBeLessThanOrEqual(50);
      }
    }
  }
  const tiny = { kind: 'box', minX: 1, minY: 1, maxX: 1, maxY: 1 } as const;
  const template = { count: 1, components: {}, area: tiny, seed: 1 };
  try {
    new BulkPlan(template, new Grid(spaces[0]), spatial);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, 'AREA_INVALID')).toBe(true);
  }
});

test('a bulk plan is as dense in cells that its area cuts as in whole ones', () => {
  const grid = new Grid({ kind: 'torus', width: 200, height: 100, cell: 25 });
  const spatial = { component: 0, x: 0, y: 1, name: 'place', xName: 'x', yName: 'y' };
  const area = { kind: 'circle', x: 60, y: 50, radius: 35 } as const;
  const plan = new BulkPlan({ count: 5_000, components: {}, area, seed: 9 }, grid, spatial);
  const distances = plan.births(0).map(({ components }) => {
    const { x, y } = components['place'] as { x: number; y: number };
    return Math.hypot(x - 60, y - 50);
  });
  expect(Math.max(...distances)).toBeLessThanOrEqual(35);
  // Of a disc a quarter lies within half its radius.
  const within = distances.filter((distance) => distance < 17.5).length / distances.length;
  expect(Math.abs(within - 0.25)).toBeLessThan(0.03);
});
