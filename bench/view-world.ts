/** The world of the view benchmark: gliders that go straight on for ever, all moving in each tick. */
import { component, f32, f64, simulation, system } from '@leasehold/sdk';

/** A tick's way is about 27 steps of a position, as in examples/flights. */
const SPEED = 5.4;

const Position = component(
  'position',
  1,
  { x: f64, y: f64 },
  { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } },
);
const Course = component('course', 1, { x: f32, y: f32 });

const glide = system({
  name: 'glide',
  reads: { course: Course },
  writes: { position: Position },
  each({ course, position }, { dtS }) {
    position.x += course.x * SPEED * dtS;
    position.y += course.y * SPEED * dtS;
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
