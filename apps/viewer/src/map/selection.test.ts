import { expect, test } from 'vitest';
import { glanceText, mapComponents } from './selection.ts';

type Welcome = Parameters<typeof mapComponents>[0];
const field = (name: string, kind: 'f64' | 'json' | 'string') => ({ name, kind, initial: 0 });
const welcome = {
  space: { kind: 'wgs84', cell: 10 },
  spatial: { component: 'position', x: 'longitude', y: 'latitude' },
  components: [
    { name: 'airport', version: 1, fields: [field('iata', 'string'), field('routes', 'json')] },
    { name: 'flight', version: 1, fields: [field('from', 'string')] },
    { name: 'position', version: 1, fields: [field('longitude', 'f64'), field('latitude', 'f64')] },
  ],
} as unknown as Welcome;

test('the map asks for positions and for whatever has no JSON', () => {
  expect(mapComponents(welcome)).toEqual(['flight', 'position']);
});

test('a glance names the entity, its texts and its place', () => {
  const components = {
    flight: { from: 'JFK', to: 'LHR', speedMps: 250 },
    position: { longitude: -73.8, latitude: 40.6 },
  };
  expect(glanceText({ id: 7, cell: 1, tick: 1, components }, welcome)).toBe(
    'entity 7\nflight · from JFK · to LHR\n40.6° N, 73.8° W',
  );
});
