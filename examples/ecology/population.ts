/**
 * Counts everybody each ten seconds of the world's time, in one process and without a store:
 * `node examples/ecology/population.ts [seconds]`.
 */
import { testWorld } from '@leasehold/sdk';
import ecology, { Sheep, Sward, Wolf } from './world.ts';

const TICK_HZ = 5;
const EVERY_S = 10;
const seconds = Number(process.argv[2] ?? 300);
const space = { kind: 'torus', width: 480, height: 480, cell: 80 } as const;

const world = await testWorld(ecology, { space, tickHz: TICK_HZ });
const tell = (...cells: readonly (string | number)[]) =>
  process.stdout.write(`| ${cells.join(' | ')} |\n`);

tell('second', 'sheep', 'wolves', 'grown tufts', 'born', 'died');
tell('---:', '---:', '---:', '---:', '---:', '---:');
for (let second = 0; second <= seconds; second += EVERY_S) {
  if (second > 0) world.run(EVERY_S * TICK_HZ);
  const grown = world.all(Sward).filter(({ grownAt }) => grownAt <= world.tick);
  const [sheep, wolves] = [world.all(Sheep), world.all(Wolf)];
  tell(second, sheep.length, wolves.length, grown.length, world.births, world.deaths);
}
