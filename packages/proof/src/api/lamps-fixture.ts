/** The world of these proofs: lamps of many lanes, which stand where they are told and count strikes. */
import { Prefab } from '@leasehold/prefabs/component';
import { bool, component, event, f64, i32, json, simulation, string, system } from '@leasehold/sdk';

const Place = component('place', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Owner = component('owner', 1, { lane: i32, number: i32 });
const Lamp = component('lamp', 1, { isLit: bool, name: string, strikes: i32, note: json });
const Strike = event('strike', 1, { times: i32(1) });

const strike = system({
  name: 'strike',
  writes: { lamp: Lamp },
  on: { struck: Strike },
  each({ lamp, struck }) {
    lamp.strikes = (lamp.strikes + struck.times) | 0;
  },
});

export default simulation({
  components: [Place, Owner, Lamp, Prefab],
  systems: [strike],
  seed({ spawn }) {
    for (let i = 0; i < 4; i++) {
      spawn(Place({ x: i * 50 + 5, y: 95 }), Owner({ lane: -1, number: i }), Lamp({}));
    }
  },
});
