import { component, f64, simulation, system } from '@leasehold/sdk';

export const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
export const Hare = component('hare', 1, { energy: f64(6) });
export const Fox = component('fox', 1, { energy: f64(10), bites: f64 });

/** Everybody hops about. */
export const hop = system({
  name: 'hop',
  writes: { place: Place },
  each({ place }, { random }) {
    place.x += random.between(-1, 1);
    place.y += random.between(-1, 1);
  },
});

/** One after the other, foxes bite the first hare in reach; what one took the next cannot take. */
export const hunt = system({
  name: 'hunt',
  order: 'sequential',
  writes: { fox: Fox },
  neighbours: { radius: 2, writes: { hare: Hare } },
  each({ fox }, { neighbours, despawn }) {
    for (const prey of neighbours) {
      if (!prey.isOwn) continue; // In another cell: it can be seen, not changed.
      const bite = Math.min(prey.hare.energy, 4);
      prey.hare.energy -= bite;
      fox.energy += bite;
      fox.bites += 1;
      if (prey.hare.energy === 0) despawn(prey.id);
      break;
    }
    fox.energy -= 1;
    if (fox.energy === 0) despawn();
  },
});

export default simulation({
  components: [Place, Hare, Fox],
  systems: [hop, hunt],
  seed({ spawn, random, space }) {
    for (let i = 0; i < 600; i++) {
      const place = { x: random.between(0, space.width), y: random.between(0, space.height) };
      spawn(Place(place), i % 6 === 0 ? Fox() : Hare());
    }
  },
});
