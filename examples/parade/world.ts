/** A parade: thousands of people close together, who walk across the world behind a band. */
import { component, f64, simulation, system } from '@leasehold/sdk';

export const Position = component(
  'position',
  1,
  { x: f64, y: f64 },
  { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } },
);
/** Where somebody walks, seen from the band. */
export const Rank = component('rank', 1, { east: f64, north: f64 });

/** The band walks east, and from side to side. */
export function band(seconds: number, speed: number, height: number) {
  const x = speed * seconds;
  return { x, y: height * (0.5 + 0.2 * Math.sin(x / 200)) };
}

/** Everybody walks to a place behind the band, faster when far from it, and gives way to others. */
export const march = system({
  name: 'march',
  reads: { rank: Rank },
  writes: { position: Position },
  params: { speed: 8, haste: 0.5, room: 3, yielding: 0.1 },
  neighbours: { radius: (params) => params.room, reads: {} },
  each({ position, rank }, { neighbours, params, tick, dtS, space }) {
    const { x, y } = band(tick * dtS, params.speed, space.height);
    let dx = space.deltaX(position.x, x + rank.east) * params.haste * dtS;
    let dy = space.deltaY(position.y, y + rank.north) * params.haste * dtS;
    const far = Math.sqrt(dx * dx + dy * dy) / (4 * params.speed * dtS);
    if (far > 1) {
      dx /= far;
      dy /= far;
    }
    for (const { dx: east, dy: north, distance } of neighbours) {
      const push = (params.yielding * (params.room - distance) * dtS) / (distance + 0.05);
      dx -= east * push;
      dy -= north * push;
    }
    position.x += dx;
    position.y += dy;
  },
});

export default simulation({
  components: [Position, Rank],
  systems: [march],
  params: { people: 20_000, spread: 40 },
  seed({ spawn, random, params, space }) {
    const { x, y } = band(0, 0, space.height);
    for (let i = 0; i < params.people; i++) {
      const east = random.normal() * params.spread;
      const north = random.normal() * params.spread;
      spawn(Position({ x: x + east, y: y + north }), Rank({ east, north }));
    }
  },
});
