/**
 * The world of which snapshots are taken while it runs: everybody moves, each once in so many ticks, so
 * that between two snapshots no cell stays what it was, and a machine of two cores can run many.
 */
import { component, f32, f64, simulation, system, u8 } from '@leasehold/sdk';

const EVERY = 32;
const STEP = 2;

const place = { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } } as const;
const Position = component('position', 1, { x: f64, y: f64 }, place);
const Course = component('course', 1, { x: f32, y: f32, turn: u8 });

const glide = system({
  name: 'glide',
  reads: { course: Course },
  writes: { position: Position },
  each({ course, position }, { tick }) {
    if ((tick + course.turn) % EVERY !== 0) return;
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
      const course = { x: Math.cos(angle), y: Math.sin(angle), turn: i % EVERY };
      spawn(Position(at), Course(course));
    }
  },
});
