/** A world of three layers: lamps that drift in one, are lit in another, and burn oil in the third. */
import { component, event, f64, i32, simulation, string, system } from '@leasehold/sdk';

const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Drift = component('drift', 1, { vx: f64 });
const Lamp = component('lamp', 1, { name: string, strikes: i32 });
const Oil = component('oil', 1, { drops: i32 });
const Strike = event('strike', 1, { times: i32(1) });
const Burn = event('burn', 1, { drops: i32 });

const move = system({
  name: 'move',
  reads: { drift: Drift },
  writes: { place: Place },
  each({ place, drift }, { dtS }) {
    place.x += drift.vx * dtS;
  },
});

const strike = system({
  name: 'strike',
  writes: { lamp: Lamp },
  optional: { oil: Oil },
  on: { struck: Strike },
  emits: [Burn],
  each({ lamp, struck }, ctx) {
    lamp.strikes += struck.times;
    ctx.emit(ctx.id, Burn({ drops: struck.times }));
  },
});

const burn = system({
  name: 'burn',
  writes: { oil: Oil },
  // Whoever stands still burns, too: what a system reads its entities must have.
  optional: { drift: Drift },
  on: { burnt: Burn },
  each({ oil, burnt }) {
    oil.drops -= burnt.drops;
  },
});

export default simulation({
  components: [Place, Drift, Lamp, Oil],
  systems: [move, strike, burn],
  seed({ spawn }) {
    for (let i = 0; i < 20; i++) {
      const drift = Drift({ vx: i % 2 === 0 ? 30 : 0 });
      spawn(Place({ x: i * 10 + 5, y: 95 }), drift, Lamp({ name: `lamp ${i}` }), Oil({ drops: i }));
    }
  },
});
