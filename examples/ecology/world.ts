/**
 * Wolves, sheep and grass in three layers: where they are (`motion.ts`), what they eat
 * (`metabolism.ts`) and whom they bear (`reproduction.ts`), each simulated by processes of its own.
 */
import { simulation } from '@leasehold/sdk';
import {
  Energy,
  Grass,
  Heading,
  Ledger,
  Life,
  Litter,
  Position,
  Sheep,
  Sward,
  Wolf,
} from './components.ts';
import {
  bite,
  burn,
  close,
  die,
  eat,
  fall,
  forgo,
  graze,
  keep,
  pay,
  regrow,
} from './metabolism.ts';
import { roam, stalk } from './motion.ts';
import { animal, breed, TURN } from './reproduction.ts';

export * from './components.ts';
export { animal } from './reproduction.ts';

export default simulation({
  components: [Position, Heading, Wolf, Sheep, Grass, Energy, Sward, Life, Ledger, Litter],
  systems: [
    ...[stalk, roam],
    ...[regrow, fall, eat, forgo, pay, close, keep, burn, graze, bite, die],
    breed,
  ],
  params: { tufts: 120, sheep: 5_200, wolves: 400, regrowthS: 30 },
  seed({ spawn, random, params, space, tickHz }) {
    // Tufts grow in rows, half of them grown, the rest on their way.
    for (let i = 0; i < params.tufts ** 2; i++) {
      const x = (((i % params.tufts) + 0.5) / params.tufts) * space.width;
      const y = ((Math.floor(i / params.tufts) + 0.5) / params.tufts) * space.height;
      const grownAt = random.chance(0.5) ? 0 : random.below(params.regrowthS * tickHz);
      spawn(Position({ x, y }), Grass(), Sward({ grownAt }), Ledger());
    }
    const somewhere = () => ({
      x: random.between(0, space.width),
      y: random.between(0, space.height),
    });
    const anyWay = (): number => random.between(0, TURN);
    for (let i = 0; i < params.sheep; i++) {
      spawn(...animal(Sheep, somewhere(), { n: 20 + random.below(80), angle: anyWay(), tick: 0 }));
    }
    for (let i = 0; i < params.wolves; i++) {
      spawn(...animal(Wolf, somewhere(), { n: 50 + random.below(200), angle: anyWay(), tick: 0 }));
    }
  },
});
