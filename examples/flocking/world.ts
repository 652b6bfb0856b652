/** Boids (Reynolds 1987): birds that keep together, keep apart and head the same way. */
import { component, f64, simulation, system } from '@leasehold/sdk';

const place = { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } } as const;
export const Position = component('position', 1, { x: f64, y: f64 }, place);
/** Where a bird heads: a vector of length 1, which viewers see in steps of 0.01. */
const steps = { x: 0.01, y: 0.01 };
export const Heading = component('heading', 1, { x: f64(1), y: f64 }, { steps });

/**
 * Each bird turns a little towards the others it sees, away from those too near, and as they head.
 */
export const flock = system({
  name: 'flock',
  writes: { heading: Heading },
  params: { sight: 5, separation: 2, cohere: 0.01, separate: 0.1, match: 0.05, stray: 0.02 },
  neighbours: { radius: (params) => params.sight, reads: { heading: Heading } },
  each({ heading }, { neighbours, params, random }) {
    let x = heading.x + random.normal() * params.stray;
    let y = heading.y + random.normal() * params.stray;
    const share = 1 / neighbours.count;
    for (const { dx, dy, distance, heading: theirs } of neighbours) {
      const away = distance < params.separation ? params.separate / (distance + 0.1) : 0;
      x += dx * (params.cohere * share - away) + theirs.x * params.match * share;
      y += dy * (params.cohere * share - away) + theirs.y * params.match * share;
    }
    const length = Math.sqrt(x * x + y * y) || 1;
    heading.x = x / length;
    heading.y = y / length;
  },
});

export const fly = system({
  name: 'fly',
  reads: { heading: Heading },
  writes: { position: Position },
  params: { speed: 20 },
  each({ position, heading }, { params, dtS }) {
    position.x += heading.x * params.speed * dtS;
    position.y += heading.y * params.speed * dtS;
  },
});

export default simulation({
  components: [Position, Heading],
  systems: [flock, fly],
  params: { birds: 2000 },
  seed({ spawn, random, params, space }) {
    for (let i = 0; i < params.birds; i++) {
      const angle = random.between(0, 2 * Math.PI);
      spawn(
        Position({ x: random.between(0, space.width), y: random.between(0, space.height) }),
        Heading({ x: Math.cos(angle), y: Math.sin(angle) }),
      );
    }
  },
});
