/** Schelling: whoever has too few of its group around moves to a free square anywhere. */
import { bool, component, f64, simulation, system, u8 } from '@leasehold/sdk';

const fields = { x: f64, y: f64, group: u8, isHappy: bool };
export const Home = component('home', 1, fields, { spatial: ['x', 'y'] });

const settle = system({
  name: 'settle',
  order: 'sequential',
  writes: { home: Home },
  params: { wanted: 3, reach: 1 },
  neighbours: { squares: ({ reach }) => reach, reads: { other: Home } },
  each({ home }, { neighbours, params, random, space }) {
    const { group } = home;
    let alike = 0;
    for (const { other } of neighbours) if (other.group === group) alike++;
    home.isHappy = alike >= params.wanted;
    if (home.isHappy) return;
    let x: number;
    let y: number;
    do {
      x = random.below(space.width);
      y = random.below(space.height);
    } while (neighbours.countAt(x, y) > 0);
    home.x = x;
    home.y = y;
  },
});

export default simulation({
  components: [Home],
  systems: [settle],
  params: { agents: 1000 },
  seed({ spawn, random, params, space }) {
    const squares = Array.from({ length: space.width * space.height }, (_, i) => i);
    for (let i = 0; i < params.agents; i++) {
      const [square = 0] = squares.splice(random.below(squares.length), 1);
      const y = Math.floor(square / space.width);
      spawn(Home({ x: square % space.width, y, group: i < params.agents / 2 ? 1 : 2 }));
    }
  },
});
