/** Flocking: birds act one by one, each by what it sees around it at that moment. */
import { component, f64, simulation, system } from '@leasehold/sdk';

const motion = { x: f64, y: f64, vx: f64, vy: f64 };
export const Bird = component('bird', 1, motion, { spatial: ['x', 'y'] });

const fly = system({
  name: 'fly',
  order: 'sequential',
  writes: { bird: Bird },
  params: { sight: 5, apart: 1, cohere: 0.03, separate: 0.015, match: 0.05, speed: 1 },
  neighbours: { radius: ({ sight }) => sight, reads: { other: Bird } },
  each({ bird }, { neighbours, params }) {
    const { apart, cohere, separate, match, speed } = params;
    let x = 0;
    let y = 0;
    for (const { dx, dy, distance, other } of neighbours) {
      const towards = distance < apart ? cohere - separate : cohere;
      x += dx * towards + other.vx * match;
      y += dy * towards + other.vy * match;
    }
    const count = Math.max(neighbours.count, 1);
    const vx = (bird.vx + x / count) / 2;
    const vy = (bird.vy + y / count) / 2;
    const length = Math.sqrt(vx * vx + vy * vy);
    bird.vx = vx / length;
    bird.vy = vy / length;
    bird.x += bird.vx * speed;
    bird.y += bird.vy * speed;
  },
});

export default simulation({
  components: [Bird],
  systems: [fly],
  params: { birds: 200 },
  seed({ spawn, random, params, space }) {
    for (let i = 0; i < params.birds; i++) {
      const angle = random.between(0, 2 * Math.PI);
      const x = random.between(0, space.width);
      const y = random.between(0, space.height);
      spawn(Bird({ x, y, vx: Math.cos(angle), vy: Math.sin(angle) }));
    }
  },
});
