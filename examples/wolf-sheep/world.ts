/**
 * Wolves eat sheep, sheep eat grass (after Wilensky 1997), everywhere and exactly once: an eater and
 * what it eats may stand in different cells, which different processes simulate. So the eaten writes
 * into its own row who eats it, and both act on that a tick later: one is fed, the other is gone.
 */
import { component, entity, f64, simulation, system, u32 } from '@leasehold/sdk';

const place = { spatial: ['x', 'y'], steps: { x: 0.01, y: 0.01 } } as const;
export const Position = component('position', 1, { x: f64, y: f64 }, place);
const steps = { energy: 0.1 };
export const Wolf = component('wolf', 1, { energy: f64 }, { steps });
export const Sheep = component('sheep', 1, { energy: f64 }, { steps });
/** A tuft is grown from this tick on. It changes when it is eaten, not in every tick. */
export const Grass = component('grass', 1, { grownAt: u32 });
/** Who eats this one, or 0. It holds for one tick, in which the eater must find it. */
export const Food = component('food', 1, { eater: entity });
/** Where an animal goes: a vector of length 1. */
export const Heading = component('heading', 1, { x: f64(1), y: f64 });

const motion = { reach: 1, speed: 0.5, turn: 0.4 };

/** A grown tuft is for the nearest sheep in reach; one that was eaten grows again. */
export const grow = system({
  name: 'grow',
  params: { ...motion, regrowth: 100 },
  writes: { grass: Grass, food: Food },
  neighbours: { radius: ({ reach }) => reach, reads: { sheep: Sheep } },
  each({ grass, food }, { params, neighbours, tick }) {
    if (food.eater !== 0) grass.grownAt = tick + params.regrowth;
    food.eater = tick < grass.grownAt ? 0 : nearest(neighbours);
  },
});

/** A sheep is for the nearest wolf in reach, and gone one tick later. */
export const fall = system({
  name: 'fall',
  params: motion,
  with: [Sheep],
  writes: { food: Food },
  neighbours: { radius: ({ reach }) => reach, reads: { wolf: Wolf } },
  after: ['grow'],
  each({ food }, { neighbours, despawn }) {
    if (food.eater !== 0) despawn();
    else food.eater = nearest(neighbours);
  },
});

/** Who is caught neither moves nor eats, bears nobody and cannot starve: it waits for its eater. */
export const graze = system({
  name: 'graze',
  params: { ...motion, grassEnergy: 5, hunger: 0.15, sheepBirths: 0.012 },
  reads: { food: Food },
  writes: { sheep: Sheep, heading: Heading, position: Position },
  // It may have walked on since a tuft in reach was given to it.
  neighbours: { radius: ({ reach, speed }) => reach + speed, reads: { tuft: Food, grass: Grass } },
  each({ sheep, food, heading, position }, { id, params, neighbours, random, spawn, despawn }) {
    if (food.eater !== 0) return;
    for (const { tuft } of neighbours) if (tuft.eater === id) sheep.energy += params.grassEnergy;
    sheep.energy -= params.hunger;
    if (sheep.energy < 0) return despawn();
    turn(heading, random.between(-1, 1) * params.turn);
    position.x += heading.x * params.speed;
    position.y += heading.y * params.speed;
    if (!random.chance(params.sheepBirths)) return;
    sheep.energy /= 2;
    const { x, y } = position;
    spawn(Position({ x, y }), Sheep({ energy: sheep.energy }), Food(), turned(heading));
  },
});

/** Wolves walk towards the nearest sheep that nobody has caught. */
export const hunt = system({
  name: 'hunt',
  params: { ...motion, sheepEnergy: 9, hunger: 0.15, wolfBirths: 0.004 },
  writes: { wolf: Wolf, heading: Heading, position: Position },
  neighbours: { radius: ({ reach, speed }) => reach + speed, reads: { prey: Food, sheep: Sheep } },
  after: ['graze'],
  each({ wolf, heading, position }, { id, params, neighbours, random, spawn, despawn }) {
    let near = Number.POSITIVE_INFINITY;
    for (const { prey, dx, dy, distance } of neighbours) {
      if (prey.eater === id) wolf.energy += params.sheepEnergy;
      if (prey.eater !== 0 || distance >= near || distance === 0) continue;
      near = distance;
      heading.x = dx / distance;
      heading.y = dy / distance;
    }
    wolf.energy -= params.hunger;
    if (wolf.energy < 0) return despawn();
    turn(heading, random.between(-1, 1) * params.turn);
    position.x += heading.x * params.speed;
    position.y += heading.y * params.speed;
    if (!random.chance(params.wolfBirths)) return;
    wolf.energy /= 2;
    const { x, y } = position;
    spawn(Position({ x, y }), Wolf({ energy: wolf.energy }), turned(heading));
  },
});

/** The id of the nearest; of two equally near the lower; 0 if nobody is there. */
function nearest(others: Iterable<{ readonly id: number; readonly distance: number }>): number {
  let found = 0;
  let near = Number.POSITIVE_INFINITY;
  for (const { id, distance } of others) {
    if (distance >= near) continue;
    near = distance;
    found = id;
  }
  return found;
}

/** Turns a heading to its left by roughly so many radians, right if negative. */
function turn(heading: { x: number; y: number }, left: number): void {
  const x = heading.x - heading.y * left;
  const y = heading.y + heading.x * left;
  const length = Math.sqrt(x * x + y * y);
  heading.x = x / length;
  heading.y = y / length;
}

/** A child goes the other way. */
const turned = ({ x, y }: { readonly x: number; readonly y: number }) => Heading({ x: -x, y: -y });

export default simulation({
  components: [Position, Heading, Wolf, Sheep, Grass, Food],
  systems: [grow, fall, graze, hunt],
  params: { tufts: 40, sheep: 400, wolves: 60, regrowth: 100, grassEnergy: 5, sheepEnergy: 9 },
  seed({ spawn, random, params, space }) {
    // Tufts grow in rows, half of them grown, the rest on their way.
    for (let i = 0; i < params.tufts ** 2; i++) {
      const x = (((i % params.tufts) + 0.5) / params.tufts) * space.width;
      const y = ((Math.floor(i / params.tufts) + 0.5) / params.tufts) * space.height;
      const grownAt = random.chance(0.5) ? 0 : random.below(params.regrowth);
      spawn(Position({ x, y }), Grass({ grownAt }), Food());
    }
    const somewhere = () =>
      Position({ x: random.between(0, space.width), y: random.between(0, space.height) });
    const anyWay = () => {
      const angle = random.between(0, 2 * Math.PI);
      return Heading({ x: Math.cos(angle), y: Math.sin(angle) });
    };
    for (let i = 0; i < params.sheep; i++) {
      const energy = random.between(1, 2 * params.grassEnergy);
      spawn(somewhere(), Sheep({ energy }), Food(), anyWay());
    }
    for (let i = 0; i < params.wolves; i++) {
      spawn(somewhere(), Wolf({ energy: random.between(1, 2 * params.sheepEnergy) }), anyWay());
    }
  },
});
