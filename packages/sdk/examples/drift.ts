import { component, f64, simulation, system } from '@leasehold/sdk';

export const Position = component('position', 1, { xM: f64, yM: f64 }, { spatial: ['xM', 'yM'] });
export const Velocity = component('velocity', 1, { xMps: f64, yMps: f64 });

/** Moves whatever has both a position and a velocity. Same tick in, same world out. */
export const drift = system({
  name: 'drift',
  reads: { velocity: Velocity },
  writes: { position: Position },
  each({ velocity, position }, { dtS }) {
    position.xM += velocity.xMps * dtS;
    position.yM += velocity.yMps * dtS;
  },
});

export default simulation({
  components: [Position, Velocity],
  systems: [drift],
  seed({ spawn, random, space }) {
    for (let i = 0; i < 1000; i++) {
      spawn(
        Position({ xM: random.between(0, space.width), yM: random.between(0, space.height) }),
        Velocity({ xMps: random.normal(), yMps: random.normal() }),
      );
    }
  },
});
