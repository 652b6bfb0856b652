/**
 * Wolves, sheep and grass on a grid of squares with wrapped edges. Births take effect at the end of
 * a tick, so a tick begins with the wolves: they find the lambs of the sheep that came before them.
 */
import { component, f64, i16, type Random, simulation, system } from '@leasehold/sdk';

export const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
export const Sheep = component('sheep', 1, { energy: f64 });
export const Wolf = component('wolf', 1, { energy: f64 });
/** Steps until it is grown; −1 when it is. */
export const Grass = component('grass', 1, { left: i16 });

/** Goes to one of the 8 squares around. */
function walk(place: { x: number; y: number }, random: Random): void {
  const to = random.below(8);
  const way = to < 4 ? to : to + 1;
  place.x += (way % 3) - 1;
  place.y += Math.floor(way / 3) - 1;
}

const hunt = system({
  name: 'hunt',
  order: 'sequential',
  writes: { place: Place, wolf: Wolf },
  params: { wolfGain: 13, wolfBirths: 0.1 },
  neighbours: { squares: 1, reads: { sheep: Sheep } },
  each({ wolf, place }, { neighbours, params, random, despawn, spawn }) {
    walk(place, random);
    wolf.energy -= 1;
    for (const { id } of neighbours.at(place.x, place.y)) {
      despawn(id);
      wolf.energy += params.wolfGain;
      break;
    }
    if (wolf.energy < 0) return despawn();
    if (!random.chance(params.wolfBirths)) return;
    wolf.energy /= 2;
    spawn(Place({ x: place.x, y: place.y }), Wolf({ energy: wolf.energy }));
  },
});

const grow = system({
  name: 'grow',
  writes: { grass: Grass },
  each({ grass }) {
    if (grass.left >= 0) grass.left -= 1;
  },
});

const graze = system({
  name: 'graze',
  order: 'sequential',
  after: ['hunt', 'grow'],
  writes: { place: Place, sheep: Sheep },
  params: { sheepGain: 5, sheepBirths: 0.2, regrowth: 20 },
  neighbours: { squares: 1, writes: { grass: Grass } },
  each({ sheep, place }, { neighbours, params, random, despawn, spawn }) {
    walk(place, random);
    sheep.energy -= 1;
    for (const square of neighbours.at(place.x, place.y)) {
      if (!square.isOwn || square.grass.left >= 0) continue;
      square.grass.left = params.regrowth;
      sheep.energy += params.sheepGain;
    }
    if (sheep.energy < 1) return despawn();
    if (!random.chance(params.sheepBirths)) return;
    sheep.energy /= 2;
    spawn(Place({ x: place.x, y: place.y }), Sheep({ energy: sheep.energy }));
  },
});

export default simulation({
  components: [Place, Sheep, Wolf, Grass],
  systems: [hunt, grow, graze],
  params: { sheep: 60, wolves: 40, sheepGain: 5, wolfGain: 13, regrowth: 20 },
  seed({ spawn, random, params, space }) {
    for (let x = 0; x < space.width; x++) {
      for (let y = 0; y < space.height; y++) {
        const left = random.chance(0.5) ? -1 : random.below(params.regrowth);
        spawn(Place({ x, y }), Grass({ left }));
      }
    }
    const square = () => Place({ x: random.below(space.width), y: random.below(space.height) });
    const energy = (gain: number) => random.between(1, 2 * gain);
    for (let i = 0; i < params.sheep; i++)
      spawn(square(), Sheep({ energy: energy(params.sheepGain) }));
    for (let i = 0; i < params.wolves; i++)
      spawn(square(), Wolf({ energy: energy(params.wolfGain) }));
  },
});
