import { LeaseholdError } from '@leasehold/kernel';
import { expect, test } from 'vitest';
import { areaQuestion, nearestQuestion, QUERY_LIMIT_DEFAULT } from './query-words.ts';

const faultOf = (work: () => unknown): readonly string[] => {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof LeaseholdError)) throw error;
    return [error.code, error.detail.field, error.detail.value];
  }
};

test.each([
  ['box=0,-1.5,2e1,.5', { kind: 'box', minX: 0, minY: -1.5, maxX: 20, maxY: 0.5 }],
  ['circle=1,2,3', { kind: 'circle', x: 1, y: 2, radius: 3 }],
  ['around=12,50', { kind: 'around', entity: 12, radius: 50 }],
  ['world', { kind: 'world' }],
  [
    'polygon=0,0;1,0;1,1',
    {
      kind: 'polygon',
      points: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    },
  ],
])('%s is an area', (search, area) => {
  expect(areaQuestion(search)).toEqual({
    of: { area },
    limit: QUERY_LIMIT_DEFAULT,
    selection: {},
    format: 'json',
  });
});

test('everything that an answer is made of can be chosen', () => {
  expect(areaQuestion('id=7&components=a,b&with=c&format=geojson&limit=10')).toEqual({
    of: { id: 7 },
    limit: 10,
    selection: { components: ['a', 'b'], with: ['c'] },
    format: 'geojson',
  });
  expect(nearestQuestion('x=1&y=-2.5&count=3')).toMatchObject({ x: 1, y: -2.5, count: 3 });
  expect(areaQuestion('world&asOf=monday')).toMatchObject({ asOf: 'monday' });
  expect(nearestQuestion('x=1&y=2&asOf=monday')).toMatchObject({ asOf: 'monday' });
  expect(areaQuestion('world')).not.toHaveProperty('asOf');
  expect(nearestQuestion('x=1&y=2')).not.toHaveProperty('radius');
  expect(nearestQuestion('x=1&y=2&radius=7.5')).toMatchObject({ radius: 7.5 });
});

test.each([
  ['', ['AREA_INVALID', 'area', 'nothing']],
  ['world&box=1,2,3,4', ['AREA_INVALID', 'area', 'box, world']],
  ['world=no', ['AREA_INVALID', 'world', 'no']],
  ['box=1,2,3', ['AREA_INVALID', 'box', '1,2,3']],
  ['box=1,2,NaN,4', ['AREA_INVALID', 'box[2]', 'NaN']],
  ['box=1,2,,4', ['AREA_INVALID', 'box[2]', '']],
  ['circle=1,0x10,3', ['AREA_INVALID', 'circle[1]', '0x10']],
  ['circle=1,2,Infinity', ['AREA_INVALID', 'circle[2]', 'Infinity']],
  ['circle=1,2,1e999', ['AREA_INVALID', 'circle[2]', '1e999']],
  ['polygon=0,0;1,1', ['AREA_INVALID', 'polygon', '2 points']],
  ['polygon=0,0;1,x;2,2', ['AREA_INVALID', 'polygon[1][1]', 'x']],
  ['around=-1,5', ['AREA_INVALID', 'around', '-1']],
  ['id=9007199254740993', ['AREA_INVALID', 'id', '9007199254740993']],
  ['world&limit=0', ['VIEW_MESSAGE_INVALID', 'limit', '0']],
  ['world&limit=10001', ['VIEW_MESSAGE_INVALID', 'limit', '10001']],
  ['world&limit=1e3', ['VIEW_MESSAGE_INVALID', 'limit', '1e3']],
  ['world&format=xml', ['VIEW_MESSAGE_INVALID', 'format', 'xml']],
  ['world&components=', ['COMPONENT_UNKNOWN', 'components', '']],
  ['world&colour=red', ['VIEW_MESSAGE_INVALID', 'colour', 'red']],
  ['world&asOf=a&asOf=b', ['VIEW_MESSAGE_INVALID', 'asOf', 'b']],
  ['world&limit=1&limit=2', ['VIEW_MESSAGE_INVALID', 'limit', '2']],
])('%j is refused, and what is wrong is named', (search, fault) => {
  expect(faultOf(() => areaQuestion(search))).toEqual(fault);
});

test.each([
  ['y=1', ['AREA_INVALID', 'x', '']],
  ['x=1&y=NaN', ['AREA_INVALID', 'y', 'NaN']],
  ['x=1&y=1&radius=0', ['AREA_INVALID', 'radius', '0']],
  ['x=1&y=1&radius=-3', ['AREA_INVALID', 'radius', '-3']],
  ['x=1&y=1&radius=Infinity', ['AREA_INVALID', 'radius', 'Infinity']],
  ['x=1&y=1&count=101', ['VIEW_MESSAGE_INVALID', 'count', '101']],
])('the nearest of %j are refused', (search, fault) => {
  expect(faultOf(() => nearestQuestion(search))).toEqual(fault);
});
