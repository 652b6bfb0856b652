/**
 * The world of the proof: entities that cross borders, bear others, die, and take up and drop a
 * component. A few, the beacons, never die, so that areas can be around them.
 */
import { bool, component, f64, i32, simulation, string, system } from '@leasehold/sdk';

const BEACONS = 8;

/** A tick's way is 25 steps: views tell it as a difference, if they may. */
const Position = component(
  'position',
  1,
  { x: f64, y: f64 },
  { spatial: ['x', 'y'], steps: { x: 0.05, y: 0.05 } },
);
const Heading = component('heading', 1, { x: f64(1), y: f64 }, { steps: { x: 0.02, y: 0.02 } });
/** Of every kind that views send raw; `massKg` changes with each tick, the others do not. */
const Cargo = component('cargo', 1, { massKg: f64, label: string, isSealed: bool, stops: i32 });
const Beacon = component('beacon', 1, { tone: i32 });

const wander = system({
  name: 'wander',
  writes: { position: Position, heading: Heading },
  params: { speed: 25 },
  each({ position, heading }, { random, params, dtS }) {
    const x = heading.x + 0.2 * random.normal();
    const y = heading.y + 0.2 * random.normal();
    const length = Math.sqrt(x * x + y * y) || 1;
    heading.x = x / length;
    heading.y = y / length;
    position.x += heading.x * params.speed * dtS;
    position.y += heading.y * params.speed * dtS;
  },
});

/** As many are born as die. */
const live = system({
  name: 'live',
  reads: { position: Position, heading: Heading },
  without: [Beacon],
  params: { chance: 0.001 },
  each({ position: { x, y }, heading }, { random, params, spawn, despawn }) {
    if (random.chance(params.chance))
      spawn(Position({ x, y }), Heading({ x: -heading.y, y: heading.x }));
    if (random.chance(params.chance)) despawn();
  },
});

const load = system({
  name: 'load',
  with: [Position],
  without: [Cargo],
  each(_, { random, id, tick, add }) {
    if (!random.chance(0.005)) return;
    add(Cargo({ massKg: tick, label: `box ${id}`, isSealed: random.chance(0.5), stops: -tick }));
  },
});

const carry = system({
  name: 'carry',
  writes: { cargo: Cargo },
  each({ cargo }, { random, remove }) {
    cargo.massKg *= 0.999;
    if (random.chance(0.01)) remove(Cargo);
  },
});

export default simulation({
  components: [Position, Heading, Cargo, Beacon],
  systems: [wander, live, load, carry],
  params: { birds: 400 },
  seed({ spawn, random, params, space }) {
    for (let i = 0; i < params.birds; i++) {
      const at = { x: random.between(0, space.width), y: random.between(0, space.height) };
      const parts = [Position(at), Heading({ x: 0, y: 1 })];
      if (i < BEACONS) parts.push(Beacon({ tone: i }));
      spawn(...parts);
    }
  },
});
