/** A crowd that walks round a torus of two layers in which nothing else moves, for tests of cells that sleep. */

export const PEOPLE = 500;
export const COLUMNS = 16;
export const CELL = 20;
export const TICK_HZ = 10;
/** One stands in each second cell. */
export const STATUES = (COLUMNS * COLUMNS) / 2;
export const hasStatue = (cell: number): boolean => cell % 2 === 0;

const MANIFEST = `world: procession
module: world.ts
space: {kind: torus, width: ${COLUMNS * CELL}, height: ${COLUMNS * CELL}, cell: ${CELL}}
blockCells: 2
tickHz: ${TICK_HZ}
sleep: {when: still}
layers: {main: [position, feet], badges: [badge]}
`;

/** Who has no feet stays where he is. The crowd comes round in 16 seconds. */
const MODULE = `
import { component, f64, simulation, system } from '@leasehold/sdk';
const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Feet = component('feet', 1, {});
const Badge = component('badge', 1, { number: f64 });
export default simulation({
  components: [Position, Feet, Badge],
  systems: [system({ name: 'walk', writes: { position: Position }, with: [Feet],
    each({ position }, { dtS }) { position.x += 20 * dtS; } })],
  seed({ spawn, random }) {
    for (let i = 0; i < ${PEOPLE}; i++) {
      spawn(Position({ x: 20 + 40 * random.float(), y: 140 + 40 * random.float() }), Feet(),
        Badge({ number: i }));
    }
    for (let cell = 0; cell < ${COLUMNS * COLUMNS}; cell += 2) {
      const row = Math.floor(cell / ${COLUMNS});
      spawn(Position({ x: (cell % ${COLUMNS}) * ${CELL} + 5, y: row * ${CELL} + 5 }), Badge({ number: -cell }));
    }
  },
});
`;

/** Its files. */
export const PROCESSION = { 'world.yaml': MANIFEST, 'world.ts': MODULE };
