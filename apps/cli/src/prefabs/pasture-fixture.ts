/** A small world with prefabs, as files, for tests. */

export const manifestOf = (world: string): string => `world: ${world}
module: world.ts
space: {kind: torus, width: 80, height: 80, cell: 20}
blockCells: 2
prefabs: {repository: ., pollMs: 1000}
`;

export const MODULE = `
import { Prefab } from '@leasehold/prefabs/component';
import { component, f64, simulation, system, u8 } from '@leasehold/sdk';
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Grazing = component('grazing', 1, { speed: f64, hunger: u8 });
const graze = system({
  name: 'graze', reads: { grazing: Grazing }, writes: { position: Position },
  each({ position, grazing }, { dtS }) { position.x += grazing.speed * dtS; },
});
export default simulation({
  components: [Position, Grazing, Prefab],
  systems: [graze],
  seed({ spawn, random }) {
    for (let n = 0; n < 40; n++) {
      const at = Position({ x: random.between(0, 80), y: random.between(0, 80) });
      // Every fourth is hungrier than its kind.
      const hunger = n % 4 === 0 ? 9 : 3;
      spawn(at, Grazing({ speed: 1, hunger }), Prefab({ name: 'sheep', version: '' }));
    }
  },
});
`;

export const grazing = (speed: number, hunger: number): string =>
  `description: Eats grass.\ncomponents:\n  grazing: {speed: ${speed}, hunger: ${hunger}}\n`;
