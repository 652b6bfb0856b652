/**
 * Sequential models twice: as a system, and replayed by a plain program that looks at all pairs. It
 * takes from the system only the order in which entities acted; what they saw and did, it finds
 * itself.
 */
import { assert, createRandom } from '@leasehold/kernel';
import { Grid, type SpaceSpec } from '@leasehold/spatial';
import {
  type ComponentValue,
  component,
  f64,
  type Simulation,
  simulation,
  system,
  type TestWorld,
  testWorld,
} from './index.ts';

const At = component('at', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Motion = component('motion', 1, { x: f64, y: f64, energy: f64 });

type Body = { at: { x: number; y: number }; motion: { x: number; y: number; energy: number } };
type Self = Body & { id: number };
type Other = Self & { dx: number; dy: number; distance: number; isOwn: boolean };
/** One turn of one entity. `end` despawns; of others, only those that are own may be changed. */
type Rule = (self: Self, others: Iterable<Other>, end: (id: number) => void) => void;
type Model = { rule: Rule; radius: number; changes: 'itself' | 'others' };

/** The published rule: birds that look, turn and fly one by one, in place. */
export const flocking = (sight: number): Model => ({
  radius: sight,
  changes: 'itself',
  rule({ at, motion }, others) {
    let count = 0;
    const cohere = { x: 0, y: 0 };
    const separate = { x: 0, y: 0 };
    const match = { x: 0, y: 0 };
    for (const { dx, dy, distance, motion: theirs } of others) {
      count++;
      cohere.x += dx;
      cohere.y += dy;
      match.x += theirs.x;
      match.y += theirs.y;
      if (distance >= 1) continue;
      separate.x -= dx;
      separate.y -= dy;
    }
    const n = Math.max(count, 1);
    const x = (motion.x + (cohere.x * 0.03 + separate.x * 0.015 + match.x * 0.05) / n) / 2;
    const y = (motion.y + (cohere.y * 0.03 + separate.y * 0.015 + match.y * 0.05) / n) / 2;
    const length = Math.hypot(x, y);
    motion.x = x / length;
    motion.y = y / length;
    at.x += motion.x;
    at.y += motion.y;
  },
});

/** Whoever is near is pushed, robbed and, with nothing left, ended; ghosts are only looked at. */
export const jostling: Model = {
  radius: 3,
  changes: 'others',
  rule(self, others, end) {
    for (const other of others) {
      if (!other.isOwn) {
        self.motion.energy += other.motion.energy * 0.01 + other.at.x * 0.001;
        continue;
      }
      if (other.distance > 2) continue;
      other.at.x += other.dx * 0.25;
      other.at.y += other.dy * 0.25;
      other.motion.energy -= 1;
      self.motion.energy += other.at.x * 0.01;
      if (other.motion.energy < 0) end(other.id);
    }
    self.at.x += Math.sin(self.id);
    self.at.y += self.motion.x;
    if (self.motion.energy > 12) end(self.id);
  },
};

/** The model as a system, which writes down who acted. */
export function simulationOf({ rule, radius, changes }: Model, turns: number[] = []): Simulation {
  const common = {
    name: 'model',
    order: 'sequential',
    writes: { at: At, motion: Motion },
  } as const;
  const rows = { at: At, motion: Motion };
  const inPlace = system({
    ...common,
    neighbours: { radius, reads: rows },
    each({ at, motion }, { id, neighbours, despawn }) {
      turns.push(id);
      rule({ id, at, motion }, neighbours, despawn);
    },
  });
  const onOthers = system({
    ...common,
    neighbours: { radius, writes: rows },
    each({ at, motion }, { id, neighbours, despawn }) {
      turns.push(id);
      rule({ id, at, motion }, neighbours, despawn);
    },
  });
  const chosen = changes === 'others' ? onOthers : inPlace;
  return simulation({ components: [At, Motion], systems: [chosen] });
}

export function scattered(count: number, space: SpaceSpec, seed: number): ComponentValue[][] {
  const grid = new Grid(space);
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const angle = random.between(0, 2 * Math.PI);
    const x = Math.cos(angle);
    const y = Math.sin(angle);
    const place = { x: random.between(0, grid.width), y: random.between(0, grid.height) };
    return [At(place), Motion({ x, y, energy: random.between(0, 10) })];
  });
}

type Replayed = Self & { home: number; isAlive: boolean; before: Body };

/** The plain program. */
class Replay {
  readonly #model: Model;
  readonly #grid: Grid;
  #all: Replayed[];

  constructor(model: Model, world: TestWorld) {
    this.#model = model;
    this.#grid = world.engine.grid;
    const motions = world.all(Motion);
    this.#all = world.all(At).map(({ id, x, y }, i) => {
      const { x: vx, y: vy, energy } = motions[i] as (typeof motions)[number];
      const body = { at: { x, y }, motion: { x: vx, y: vy, energy } };
      const home = this.#grid.cellAt(x, y);
      return { id, ...body, home, isAlive: true, before: structuredClone(body) };
    });
  }

  /** Replays a tick in which these acted in this order; each but the dead must be among them. */
  tick(turns: readonly number[]): void {
    const due = new Map(this.#all.map((one) => [one.id, one]));
    for (const id of turns) {
      const self = due.get(id);
      assert(self?.isAlive === true, `${id} acted twice, or dead`);
      due.delete(id);
      const end = (other: number): void => {
        for (const one of this.#all) if (one.id === other) one.isAlive = false;
      };
      this.#model.rule(self, this.#around(self), end);
    }
    assert(![...due.values()].some(({ isAlive }) => isAlive), 'somebody alive did not act');
    this.#all = this.#all.filter(({ isAlive }) => isAlive);
    for (const one of this.#all) {
      one.home = this.#grid.nextCell(one.home, one.at.x, one.at.y);
      if (this.#grid.wrapsX) {
        one.at.x = this.#grid.wrapX(one.at.x);
        one.at.y = this.#grid.wrapY(one.at.y);
      }
      one.before = structuredClone({ at: one.at, motion: one.motion });
    }
  }

  #around(self: Replayed): Iterable<Other> {
    const grid = this.#grid;
    const centre = { ...self.at };
    const seen = this.#all.flatMap((one) => {
      const isOwn = one.home === self.home;
      return one === self || (isOwn && !one.isAlive) ? [] : [{ one, isOwn }];
    });
    const turn = ({ one, isOwn }: (typeof seen)[number]): Other => {
      const body: Body = isOwn ? one : one.before;
      const dx = grid.deltaX(centre.x, body.at.x);
      const dy = grid.deltaY(centre.y, body.at.y);
      const distance = grid.distance(centre.x, centre.y, body.at.x, body.at.y);
      return { id: one.id, at: body.at, motion: body.motion, dx, dy, distance, isOwn };
    };
    const near = seen.filter((some) => {
      const { dx, dy } = turn(some);
      return dx * dx + dy * dy <= this.#model.radius ** 2;
    });
    return {
      *[Symbol.iterator]() {
        for (const some of near) if (!some.isOwn || some.one.isAlive) yield turn(some);
      },
    };
  }

  /** As `stateOf` a world. */
  get state(): object[] {
    return this.#all.map(({ id, at, motion }) => ({ id, at: { ...at }, motion: { ...motion } }));
  }
}

function stateOf(world: TestWorld): object[] {
  const motions = world.all(Motion);
  return world.all(At).map(({ id, x, y }, i) => {
    const { x: vx, y: vy, energy } = motions[i] as (typeof motions)[number];
    return { id, at: { x, y }, motion: { x: vx, y: vy, energy } };
  });
}

/** Runs a model both ways, comparing after each tick. */
export async function compareWithReplay(
  model: Model,
  options: { space: SpaceSpec; count: number; ticks: number; seed: number },
  same: (found: object[], expected: object[]) => void,
): Promise<TestWorld> {
  const { space, seed } = options;
  const turns: number[] = [];
  const entities = scattered(options.count, space, seed);
  const world = await testWorld(simulationOf(model, turns), { space, seed, entities });
  const replay = new Replay(model, world);
  for (let tick = 0; tick < options.ticks; tick++) {
    turns.length = 0;
    world.run();
    replay.tick(turns);
    same(stateOf(world), replay.state);
  }
  return world;
}
