/** A world of three layers in which everybody stays where he is, for tests. */

import { LAYERS, type LayeredWorld } from '@leasehold/pod/layers-fixture';
import { component, f64, simulation, system } from '@leasehold/sdk';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Velocity = component('velocity', 1, { x: f64, y: f64 });
/** It burns down to nothing, and of whoever has less than that nothing is left. */
const Energy = component('energy', 1, { n: f64 });
const Purse = component('purse', 1, {});
const Litter = component('litter', 1, {});

/** All stand in the first cell, with so much energy that it lasts for `ticks`. */
export const dolmens = (count: number, ticks: number): LayeredWorld => ({
  layers: LAYERS,
  space: { kind: 'torus', width: 80, height: 80, cell: 10 },
  params: {},
  simulation: simulation({
    components: [Position, Velocity, Energy, Purse, Litter],
    systems: [
      system({
        name: 'burn',
        writes: { energy: Energy },
        each({ energy }, ctx) {
          if (energy.n > 0) energy.n -= 1;
          else if (energy.n < 0) ctx.despawn();
        },
      }),
    ],
    seed({ spawn }) {
      for (let i = 0; i < count; i++) {
        spawn(Position({ x: 5, y: 5 }), Velocity(), Energy({ n: ticks }), Purse(), Litter());
      }
    },
  }),
});
