/**
 * The world of benchmarks that compare sizes: what a tick does is the same at every rate, so a
 * world that is too large for 20 Hz on this machine may be run slower.
 */
import { component, f32, f64, simulation, system } from '@leasehold/sdk';

/** As at 5.4 a second and 20 Hz. */
const STEP = 0.27;

const place = { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } } as const;
const Position = component('position', 1, { x: f64, y: f64 }, place);
const Course = component('course', 1, { x: f32, y: f32 });

const glide = system({
  name: 'glide',
  reads: { course: Course },
  writes: { position: Position },
  each({ course, position }) {
    position.x += course.x * STEP;
    position.y += course.y * STEP;
  },
});

export default simulation({
  components: [Position, Course],
  systems: [glide],
  params: { gliders: 10_000 },
  seed({ spawn, random, params, space }) {
    for (let i = 0; i < params.gliders; i++) {
      const at = { x: random.between(0, space.width), y: random.between(0, space.height) };
      const angle = random.between(0, 2 * Math.PI);
      spawn(Position(at), Course({ x: Math.cos(angle), y: Math.sin(angle) }));
    }
  },
});
