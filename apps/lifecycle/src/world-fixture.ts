/** The world of these tests: lamps that stand or drift, and count how often they are struck. */
import { Prefab } from '@leasehold/prefabs/component';
import { bool, component, event, f64, i32, json, simulation, string, system } from '@leasehold/sdk';

const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Drift = component('drift', 1, { vx: f64 });
const Lamp = component('lamp', 1, { isLit: bool, name: string, strikes: i32, note: json });
const Strike = event('strike', 1, { times: i32(1) });

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
  on: { struck: Strike },
  each({ lamp, struck }) {
    if (struck.times < 0) throw new Error('a lamp cannot be struck so');
    lamp.strikes += struck.times;
  },
});

export default simulation({
  components: [Place, Drift, Lamp, Prefab],
  systems: [move, strike],
  seed({ spawn }) {
    for (let i = 0; i < 20; i++) {
      spawn(Place({ x: i * 10 + 5, y: 95 }), Lamp({ name: `lamp ${i}`, strikes: i }));
    }
  },
});
