import { component, f64, simulation, system } from '@leasehold/sdk';

export const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
export const Balloon = component('balloon', 1, { lift: f64(1) });

/** The wind is the same everywhere; who has more lift is carried faster. */
export const drift = system({
  name: 'drift',
  reads: { balloon: Balloon },
  writes: { position: Position },
  params: { wind: 2 },
  each({ balloon, position }, { params, dtS, random }) {
    position.x += params.wind * balloon.lift * dtS;
    position.y += random.between(-1, 1) * dtS;
  },
});

export default simulation({
  components: [Position, Balloon],
  systems: [drift],
  params: { balloons: 200 },
  seed({ spawn, random, params, space }) {
    for (let i = 0; i < params.balloons; i++) {
      const [x, y] = [random.between(0, space.width), random.between(0, space.height)];
      spawn(Position({ x, y }), Balloon({ lift: random.between(0.5, 2) }));
    }
  },
});
