/** Boids (Reynolds 1987): birds that keep together, keep apart and head the same way. */
import { component, f64, simulation, system } from '@leasehold/sdk';

export const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
/** Where a bird heads: a vector of length 1. */
export const Heading = component('heading', 1, { x: f64(1), y: f64 });

/** Each bird turns a little towards the others it sees, away from those too near, and with all. */
export const flock = system({
  name: 'flock',
  writes: { heading: Heading },
  params: { visualDistance: 5, separation: 1, cohere: 0.03, separate: 0.015, match: 0.05 },
  neighbours: { radius: (params) => params.visualDistance, reads: { heading: Heading } },
  each({ heading }, { neighbours, params }) {
    let x = 0;
    let y = 0;
    for (const other of neighbours) {
      const away = other.distance < params.separation ? params.separate : 0;
      x += other.dx * (params.cohere - away) + other.heading.x * params.match;
      y += other.dy * (params.cohere - away) + other.heading.y * params.match;
    }
    const seen = Math.max(neighbours.count, 1);
    const turnedX = heading.x + x / seen;
    const turnedY = heading.y + y / seen;
    const length = Math.sqrt(turnedX * turnedX + turnedY * turnedY) || 1;
    heading.x = turnedX / length;
    heading.y = turnedY / length;
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
