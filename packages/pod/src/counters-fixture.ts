/** Worlds whose entities count ticks in a component of each class of durability, for tests. */
import {
  component,
  f64,
  type Simulation,
  type System,
  simulation,
  system,
  u32,
} from '@leasehold/sdk';

export const EVERY = 12;

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Sure = component('sure', 1, { n: u32 });
const Fuel = component('fuel', 1, { n: u32 }, { durability: { every: EVERY } });
/** In turns that seldom meet those of the other. */
const Heat = component('heat', 1, { n: u32 }, { durability: { every: 7 } });
const Aim = component('aim', 1, { n: u32 }, { durability: 'ephemeral' });

const count = system({
  name: 'count',
  writes: { sure: Sure, fuel: Fuel, heat: Heat, aim: Aim },
  each({ sure, fuel, heat, aim }) {
    sure.n++;
    fuel.n++;
    heat.n++;
    aim.n++;
  },
});
const burn = system({
  name: 'burn',
  writes: { fuel: Fuel },
  each({ fuel }) {
    fuel.n++;
  },
});

const walk = system({
  name: 'walk',
  reads: { sure: Sure },
  writes: { position: Position },
  after: ['count'],
  each({ position }, { random }) {
    position.x += random.between(0, 1);
  },
});

/** One stands in each cell. */
const standing = (systems: System[]): Simulation =>
  simulation({
    components: [Position, Sure, Fuel, Heat, Aim],
    systems,
    seed({ spawn }) {
      for (let x = 5; x < 80; x += 10) {
        for (let y = 5; y < 80; y += 10) {
          spawn(Position({ x, y }), Sure(), Fuel(), Heat(), Aim());
        }
      }
    },
  });

export const counters = standing([count]);
/** They walk, too: of twenty one is between two cells. */
export const walkers = standing([count, walk]);
/** Nothing changes but what is told in each n-th tick. */
export const burners = standing([burn]);
