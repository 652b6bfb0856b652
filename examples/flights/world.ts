/**
 * Air traffic: aircraft take off from real airports, follow great circles and land. Airports are
 * entities too: each decides by itself, by seeded chance, when somebody departs and where to.
 */
import {
  type ComponentValue,
  component,
  f32,
  f64,
  greatCirclePoint,
  i32,
  json,
  simulation,
  string,
  system,
} from '@leasehold/sdk';
import { distanceM, loadNetwork, type Route } from './network.ts';

/** Degrees. A 32-bit float of them is good to 2 m; viewers see 55 m. */
export const Position = component(
  'position',
  1,
  { longitude: f32, latitude: f32 },
  {
    spatial: ['longitude', 'latitude'],
    steps: { longitude: 0.0005, latitude: 0.0005 },
  },
);

export const Airport = component('airport', 1, {
  iata: string,
  /** Simulated, not real, hours. */
  departuresPerHour: f64,
  /** Ascending by `upTo`, the cumulative chance of this and all routes before it. */
  routes: json<readonly Route[]>([]),
});

/** A flight is fixed at departure: where it is follows from the tick alone. */
export const Flight = component('flight', 1, {
  from: string,
  to: string,
  fromLongitude: f64,
  fromLatitude: f64,
  toLongitude: f64,
  toLatitude: f64,
  distanceM: f64,
  speedMps: f64,
  /** Below 0 for those in the air when the world began. */
  departedAtTick: i32,
});

/** How many simulated seconds pass in one of the world's. */
const params = { timeScale: 60 };

type Place = Pick<Route, 'iata' | 'longitude' | 'latitude'>;

function flightOf(from: Place, to: Place, chance: number, departedAtTick: number): ComponentValue {
  const length = distanceM(from, to);
  return Flight({
    from: from.iata,
    fromLongitude: from.longitude,
    fromLatitude: from.latitude,
    to: to.iata,
    toLongitude: to.longitude,
    toLatitude: to.latitude,
    distanceM: length,
    speedMps: cruiseMps(length, chance),
    departedAtTick,
  });
}

/** Propellers on short routes, jets on long ones, and no two quite alike. */
export function cruiseMps(distanceM: number, chance: number): number {
  const typical = distanceM < 500_000 ? 170 : distanceM < 1_500_000 ? 220 : 250;
  return typical * (0.95 + 0.1 * chance);
}

export const depart = system({
  name: 'depart',
  params,
  reads: { airport: Airport, position: Position },
  each({ airport, position }, { random, spawn, tick, dtS, params: { timeScale } }) {
    // Whole ones for sure, what is left of one by chance.
    let expected = (airport.departuresPerHour / 3600) * dtS * timeScale;
    for (; expected > 0; expected--) {
      if (!random.chance(expected)) continue;
      const draw = random.float();
      const route = airport.routes.find(({ upTo }) => draw < upTo);
      if (route === undefined) continue;
      const { longitude, latitude } = position;
      const here = { iata: airport.iata, longitude, latitude };
      spawn(Position({ longitude, latitude }), flightOf(here, route, random.float(), tick));
    }
  },
});

const point = new Float64Array(2);

export const fly = system({
  name: 'fly',
  params,
  reads: { flight: Flight },
  writes: { position: Position },
  each({ flight: f, position }, { tick, dtS, despawn, params: { timeScale } }) {
    const flownM = (tick - f.departedAtTick) * dtS * timeScale * f.speedMps;
    const way = Math.min(1, flownM / f.distanceM);
    greatCirclePoint(f.fromLongitude, f.fromLatitude, f.toLongitude, f.toLatitude, way, point);
    position.longitude = point[0] as number;
    position.latitude = point[1] as number;
    if (way === 1) despawn();
  },
});

export default simulation({
  components: [Position, Airport, Flight],
  systems: [depart, fly],
  params: { ...params, aircraft: 8000 },
  async seed({ random, spawn, params: { aircraft, timeScale }, tickHz }) {
    const hubs = await loadNetwork(random);
    const routes = hubs.flatMap((hub) =>
      hub.routes.map((route, i) => {
        const chance = route.upTo - (hub.routes[i - 1]?.upTo ?? 0);
        const length = distanceM(hub, route);
        const hours = length / cruiseMps(length, 0.5) / 3600;
        return { hub, route, aloft: hub.demand * chance * hours };
      }),
    );
    // Little's law: who is aloft = departures an hour × hours aloft. It makes the world start full.
    const total = routes.reduce((sum, { aloft }) => sum + aloft, 0);
    for (const { iata, longitude, latitude, demand, routes: own } of hubs) {
      const departuresPerHour = (demand / total) * aircraft;
      const airport = Airport({ iata, departuresPerHour, routes: own });
      spawn(Position({ longitude, latitude }), airport);
    }
    const ticksPerHour = (3600 / timeScale) * tickHz;
    for (const { hub, route, aloft } of routes) {
      for (let left = (aloft / total) * aircraft; left > 0; left--) {
        if (!random.chance(left)) continue;
        const length = distanceM(hub, route);
        const chance = random.float();
        const hours = length / cruiseMps(length, chance) / 3600;
        const way = random.float();
        const departedAtTick = -Math.round(way * hours * ticksPerHour);
        const at = greatCircle(hub, route, way);
        spawn(at, flightOf(hub, route, chance, departedAtTick));
      }
    }
  },
});

function greatCircle(from: Place, to: Place, way: number): ComponentValue {
  greatCirclePoint(from.longitude, from.latitude, to.longitude, to.latitude, way, point);
  return Position({ longitude: point[0] as number, latitude: point[1] as number });
}
