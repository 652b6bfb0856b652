import { component, event, f64, simulation, system } from '@leasehold/sdk';

export const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
export const Fox = component('fox', 1, { jaw: f64(4) });
export const Hare = component('hare', 1, { energy: f64(10) });
export const Bite = event('bite', 1, { strength: f64 });

/** Foxes bite every hare in reach, also one across a border. */
export const bite = system({
  name: 'bite',
  reads: { fox: Fox },
  neighbours: { radius: 2, reads: { hare: Hare } },
  emits: [Bite],
  each({ fox }, { neighbours, emit }) {
    for (const prey of neighbours) emit(prey.id, Bite({ strength: fox.jaw }));
  },
});

/** Runs once for each bite that reached a hare. */
export const suffer = system({
  name: 'suffer',
  on: { bite: Bite },
  writes: { hare: Hare },
  each({ bite, hare }) {
    hare.energy = Math.max(0, hare.energy - bite.strength);
  },
});

export default simulation({ components: [Position, Fox, Hare], systems: [bite, suffer] });
