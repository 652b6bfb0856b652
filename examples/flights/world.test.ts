import { type Found, type TestWorld, testWorld } from '@leasehold/sdk';
import { beforeAll, describe, expect, test } from 'vitest';
import { distanceM } from './network.ts';
import simulation, { Airport, cruiseMps, Flight, Position } from './world.ts';

const TICKS_PER_MINUTE = 600;
const aircraft = 1500;

const ends = (flight: Found<typeof Flight>) => ({
  from: { longitude: flight.fromLongitude, latitude: flight.fromLatitude },
  to: { longitude: flight.toLongitude, latitude: flight.toLatitude },
});

describe('flights', { timeout: 120_000 }, () => {
  let world: TestWorld;
  let seedMs = 0;
  beforeAll(async () => {
    const start = performance.now();
    const space = { kind: 'wgs84', cell: 10 } as const;
    world = await testWorld(simulation, { space, params: { aircraft, timeScale: 60 } });
    seedMs = performance.now() - start;
  }, 60_000);

  test('begin with a full sky over hundreds of airports', () => {
    expect(world.all(Airport).length).toBeGreaterThan(300);
    expect(Math.abs(world.all(Flight).length / aircraft - 1)).toBeLessThan(0.05);
    expect(seedMs).toBeLessThan(20_000); // About 1 s alone on a machine; a CI machine is not.
  });

  test('go where an airport has a route, at a speed that aircraft have', () => {
    const airports = new Map(world.all(Airport).map((airport) => [airport.iata, airport]));
    for (const flight of world.all(Flight)) {
      expect(airports.get(flight.from)?.routes.map(({ iata }) => iata)).toContain(flight.to);
      const { from, to } = ends(flight);
      expect(Math.abs(distanceM(from, to) - flight.distanceM)).toBeLessThan(1);
      expect(flight.speedMps).toBeGreaterThanOrEqual(cruiseMps(flight.distanceM, 0));
      expect(flight.speedMps).toBeLessThanOrEqual(cruiseMps(flight.distanceM, 1));
    }
    for (const { routes } of airports.values()) expect(routes.at(-1)?.upTo).toBe(1);
  });

  test('keep their number, bear nobody twice, and stay on their great circles', () => {
    const seen = new Set(world.ids());
    const numbers: number[] = [];
    let ids = seen;
    let births = 0;
    for (let tick = 0; tick < 2 * TICKS_PER_MINUTE; tick += 20) {
      world.run(20);
      const now = new Set(world.ids());
      for (const id of now) {
        if (ids.has(id)) continue;
        expect(seen.has(id), `entity ${id} came back`).toBe(false);
        seen.add(id);
        births++;
      }
      ids = now;
      numbers.push(world.all(Flight).length);
    }
    expect(Math.min(...numbers)).toBeGreaterThan(aircraft * 0.9);
    expect(Math.max(...numbers)).toBeLessThan(aircraft * 1.1);
    expect(births).toBeGreaterThan(aircraft / 4);
    expect(world.deaths).toBeGreaterThan(aircraft / 4);
    expect(world.crossings).toBeGreaterThan(aircraft / 2);

    const places = new Map(world.all(Position).map((place) => [place.id, place]));
    for (const flight of world.all(Flight)) {
      const place = places.get(flight.id) as Found<typeof Position>;
      const { from, to } = ends(flight);
      const detourM = distanceM(from, place) + distanceM(place, to) - flight.distanceM;
      expect(detourM, `flight ${flight.from} to ${flight.to}`).toBeLessThan(10);
    }
  });
});
