/** Where animals go. Grass stays, and costs nothing here. */
import { system } from '@leasehold/sdk';
import { Heading, Position, Sheep, Wolf } from './components.ts';

/** So many ticks go by until an animal looks around again. */
const LOOK_TICKS = 3;

/** Wolves turn towards the nearest sheep in sight. */
export const stalk = system({
  name: 'stalk',
  params: { sight: 2 },
  with: [Wolf],
  writes: { heading: Heading },
  neighbours: { radius: ({ sight }) => sight, reads: { sheep: Sheep } },
  each({ heading }, { id, tick, neighbours }) {
    if ((id + tick) % LOOK_TICKS !== 0) return;
    let near = Number.POSITIVE_INFINITY;
    for (const { dx, dy, distance } of neighbours) {
      if (distance >= near || distance === 0) continue;
      near = distance;
      heading.x = dx / distance;
      heading.y = dy / distance;
    }
  },
});

/** Everybody with a heading follows it, a little to the left or right. */
export const roam = system({
  name: 'roam',
  after: ['stalk'],
  params: { sheepSpeed: 1.5, wolfSpeed: 2, turn: 0.3 },
  writes: { position: Position, heading: Heading },
  optional: { wolf: Wolf },
  each({ position, heading, wolf }, { id, tick, random, params, dtS }) {
    if ((id + tick) % LOOK_TICKS === 0) turn(heading, random.between(-1, 1) * params.turn);
    const wayM = (wolf === undefined ? params.sheepSpeed : params.wolfSpeed) * dtS;
    position.x += heading.x * wayM;
    position.y += heading.y * wayM;
  },
});

/** Turns a heading to its left by roughly so many radians, right if negative. */
function turn(heading: { x: number; y: number }, left: number): void {
  const x = heading.x - heading.y * left;
  const y = heading.y + heading.x * left;
  const length = Math.sqrt(x * x + y * y);
  heading.x = x / length;
  heading.y = y / length;
}
